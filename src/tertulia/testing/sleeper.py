"""A client that subscribes and then reads nothing, to see how much the server keeps for it."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

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
        """Subscribe, and read no further: what comes from here on is left to the kernel."""
        stream = await open_socket(self.doors.next() + "/ws/", token=self.token)
        raw: socket.socket = stream.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE)
        welcome = json.loads(await asyncio.wait_for(stream.recv(), PATIENCE))
        self.person = welcome["me"]["id"]
        command = {"type": "room.subscribe", "ref": 1, "room": self.room, "limit": 1}
        await stream.send(json.dumps(command))
        while json.loads(await asyncio.wait_for(stream.recv(), PATIENCE))["type"] != "reply":
            pass
        stream.transport.pause_reading()
        self._stream = stream

    async def wake(self, seconds: float = 20) -> int:
        """Read until nothing comes for a second, or the connection ends; bytes that waited."""
        assert self._stream is not None
        waited, kernel = 0, in_kernel(self._stream)
        self._stream.transport.resume_reading()
        deadline = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < deadline:
            try:
                waited += len(await asyncio.wait_for(self._stream.recv(decode=False), 1))
            except (TimeoutError, OSError, websockets.ConnectionClosed):
                break
        self._stream.transport.abort()
        self.history.add("waited", self.name, self.person, self.room, bytes=waited, kernel=kernel)
        return waited


def in_kernel(stream: ClientConnection) -> int:
    """Bytes on their way to a client of this machine that the kernel holds: what the server has
    written and the client's end not confirmed, and what is there and was not read."""
    ours, theirs = (f":{address[1]:04X}" for address in (stream.local_address,
                                                         stream.remote_address))  # fmt: skip
    held = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        sending, receiving = (int(queue, 16) for queue in queues.split(":"))
        if local.endswith(theirs) and remote.endswith(ours):
            held += sending
        elif local.endswith(ours) and remote.endswith(theirs):
            held += receiving
    return held
