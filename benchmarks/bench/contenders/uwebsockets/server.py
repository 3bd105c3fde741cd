"""A room on uWebSockets: every connection subscribes to a topic, every message is published to it,
the sender included. Compression off.

    python server.py PORT

libuv's loop is run by itself: the handlers are plain functions, so asyncio is not needed, and
`App.run()` would ask both loops in turn without rest.
"""

from __future__ import annotations

import sys

from socketify import App, CompressOptions, OpCode, WebSocket

app = App()


def opened(socket: WebSocket) -> None:
    socket.subscribe("lobby")


def said(socket: WebSocket, message: str | bytes, opcode: OpCode) -> None:
    app.publish("lobby", message, opcode)


app.ws("/*", {"compression": CompressOptions.DISABLED, "open": opened, "message": said})
app.listen({"host": "127.0.0.1", "port": int(sys.argv[1])}, lambda listening: None)
app.loop.uv_loop.run()
