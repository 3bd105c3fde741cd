"""`/metrics` before Django, and who may read it.

The values hold no names and no texts, yet they tell how much a site is used. So they are for
whoever sits on the machine, and for administrators.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any

from asgiref.sync import sync_to_async

from tertulia.chat.live import session_cookie
from tertulia.chat.origin import header
from tertulia.chat.people import participant_by_token
from tertulia.chat.validity import open_session, user_of
from tertulia.project.environment import LOOPBACK

from .board import board
from .text import CONTENT_TYPE, render
from .values import http_responses

PATH = "/metrics"
REFUSED = (
    "The metrics are for this machine (from 127.0.0.1, under the name localhost or 127.0.0.1,"
    " without a proxy between) and for administrators: send an administrator's token"
    ' ("tertulia token NAME") as "Authorization: Bearer TOKEN", or sign in as one.\n'
)
# What proxies add; a request with one of these comes from somewhere else.
FORWARDED = (
    *(b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"),
    *(b"x-real-ip", b"x-forwarded-server", b"cf-connecting-ip", b"true-client-ip"),
)


def with_metrics(application: Any) -> Any:
    """The ASGI application, its responses counted, with /metrics before it."""

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        async def counted(message: Any) -> None:
            if message["type"] == "http.response.start":
                http_responses[f"{message['status'] // 100}xx"] += 1
            await send(message)

        if scope["path"] == PATH:
            await _answer(scope, counted)
        else:
            await application(scope, receive, counted)

    return counting


async def _answer(scope: Any, send: Any) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        await _send(scope, send, 405, b"Only GET.\n", (b"allow", b"GET, HEAD"))
    elif is_local(scope) or await sync_to_async(is_administrator)(scope):
        body = await asyncio.to_thread(render, board().all())
        await _send(scope, send, 200, body)
    else:
        # No challenge: that would make browsers ask for a password that does not help.
        await _send(scope, send, 403, REFUSED.encode())


def is_local(scope: Any) -> bool:
    """Whether the peer is on this machine and speaks for nobody elsewhere.

    The name in the request is a local one too: else it may be a page that has had its own name
    resolved to this machine, or come through a proxy that adds no header.
    """
    client = scope.get("client")
    try:
        peer = ip_address(client[0] if client else "")
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    if not peer.is_loopback or any(name in FORWARDED for name, _ in scope["headers"]):
        return False
    return _host(header(scope, b"host") or "") in LOOPBACK


def _host(value: str) -> str:
    """The name in a Host header, without the port."""
    if value.startswith("["):
        return value.partition("]")[0] + "]"
    return value.partition(":")[0].lower()


def is_administrator(scope: Any) -> bool:
    """Whether the bearer token, or else the session, is an administrator's."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    user: Any = None
    if scheme.lower() == "bearer":
        participant = participant_by_token(token.strip())
        user = participant.user if participant is not None else None
    elif key := session_cookie(scope):
        user = user_of(open_session(key))
    return bool(user is not None and user.is_active and user.is_superuser)


async def _send(
    scope: Any, send: Any, status: int, body: bytes, *more: tuple[bytes, bytes]
) -> None:
    headers = [
        (
            b"content-type",
            (CONTENT_TYPE if status == 200 else "text/plain; charset=utf-8").encode(),
        ),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
