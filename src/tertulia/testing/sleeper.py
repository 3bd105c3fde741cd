"""A client that subscribes and then reads nothing, to see how much the server keeps for it."""

from __future__ import annotations

import asyncio
import json
import socket

import websockets
from websockets.asyncio.client import ClientConnection

from .client import PATIENCE, open_socket
from .history import History
from .workload import Doors

# Bytes of the kernel's buffer at the sleeper's end, so that little waits outside the server.
RECEIVE = 64 * 1024


class Sleeper:
    """Reads nothing from `sleep` on; `wake` reads all that waited, and records how much it was."""

    def __init__(self, name: str, doors: Doors, token: str, room: str, history: History) -> None:
        self.name = name
        self.doors = doors
        self.token = token
        self.room = room
        self.history = history
        self.person = ""
        self._stream: ClientConnection | None = None

    async def sleep(self) -> None:
        """Subscribe, and read no further: the library stops at a few frames, then the kernel."""
        stream = await open_socket(self.doors.next() + "/ws/", token=self.token)
        raw: socket.socket = stream.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        welcome = json.loads(await asyncio.wait_for(stream.recv(), PATIENCE))
        self.person = welcome["me"]["id"]
        command = {"type": "room.subscribe", "ref": 1, "room": self.room, "limit": 1}
        await stream.send(json.dumps(command))
        while json.loads(await asyncio.wait_for(stream.recv(), PATIENCE))["type"] != "reply":
            pass
        self._stream = stream

    async def wake(self, seconds: float = 20) -> int:
        """Read until nothing comes for a second, or the connection ends; bytes that waited."""
        assert self._stream is not None
        waited = 0
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            try:
                waited += len(await asyncio.wait_for(self._stream.recv(decode=False), 1))
            except (TimeoutError, OSError, websockets.ConnectionClosed):
                break
        self._stream.transport.abort()
        self.history.add("waited", self.name, self.person, self.room, bytes=waited)
        return waited
