"""The application that the suite speaks to: every message comes back as it was.

`/` is plain ASGI, the same under every server. `/direct` leaves ASGI after the handshake, by the
extension that our WebSocket class offers; nobody else has it.
"""

from __future__ import annotations

from typing import Any

EXTENSION = "tertulia.transport"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket" and scope["path"] == "/direct":
        await _leave(scope, receive, send)
    elif scope["type"] == "websocket":
        await _echo(receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        # An absent one may be None or missing.
        if (text := message.get("text")) is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})


async def _leave(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    transport = scope["extensions"][EXTENSION]
    transport.leave(_Handler(transport))


class _Handler:
    """What `tertulia.server.websocket.Handler` asks for."""

    def __init__(self, transport: Any) -> None:
        # Here, since the other servers run where there is no Tertulia.
        from tertulia.protocol.frames import Frames
        from tertulia.server import framing

        self._transport = transport
        self._frames = Frames
        self._framing = framing

    def text(self, text: str) -> None:
        self._transport.send(self._frames([text.encode()]))

    def binary(self, data: bytes) -> None:
        # Tertulia sends none, and so there is no door for them but the one for bytes.
        self._transport.write(self._framing.frame(self._framing.BINARY, data))

    def alive(self) -> None:
        """Nobody is watched here."""

    def lost(self) -> None:
        """Nothing to put away."""
