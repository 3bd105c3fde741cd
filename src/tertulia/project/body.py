"""A cap on what a request may bring along.

Django takes a body in whole before it looks at anything, into memory and then onto the disk;
without a cap anybody could fill that. A body that does not say how long it is is counted.
"""

from __future__ import annotations

from typing import Any

# A picture of 5 MiB and its form; everything else that is sent by HTTP is far smaller.
BYTES = 6 * 1024 * 1024


class _TooLarge(Exception):
    """More has come than may."""


def with_capped_body(application: Any) -> Any:
    """The ASGI application; 413 for a body of more than `BYTES`, read no further than that."""

    async def capped(scope: Any, receive: Any, send: Any) -> None:
        if _announced(scope) > BYTES:
            await _refuse(send)
            return
        come, begun = 0, False

        async def counting() -> Any:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > BYTES:
                raise _TooLarge
            return message

        async def noticing(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await application(scope, counting, noticing)
        except _TooLarge:
            if not begun:
                await _refuse(send)

    return capped


def _announced(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Any) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    text = f"At most {BYTES // 1024**2} MiB.\n".encode()
    await send({"type": "http.response.body", "body": text})
