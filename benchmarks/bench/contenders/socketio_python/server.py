"""A room on python-socketio: every connection enters it, every message is emitted to it, the
sender included. WebSocket only; no logging; nothing else differs from the defaults."""

from __future__ import annotations

import socketio

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])
app = socketio.ASGIApp(server)


@server.event
async def connect(sid: str, environ: dict[str, object]) -> None:
    await server.enter_room(sid, "lobby")


@server.event
async def message(sid: str, text: str) -> None:
    await server.emit("message", text, room="lobby")
