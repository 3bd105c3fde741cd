"""Peers that read when they are told to, and a server that is not ours."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import sys
import time
from typing import Any

from ..server import Server

# Bytes that the kernel keeps for a peer: as little as it allows.
BUFFER = 4096


class Peer:
    """A WebSocket by hand on a socket with the smallest of buffers, which throws away what it
    reads; while `reading` is not set it reads nothing at all."""

    def __init__(self, server: Server, token: str, room: str) -> None:
        self.server = server
        self.token = token
        self.room = room
        self.reading = asyncio.Event()
        self.reading.set()
        self.received = 0
        # When the connection had ended, by the monotonic clock.
        self.ended: float | None = None

    async def open(self) -> Peer:
        """Connect and subscribe to the room."""
        loop = asyncio.get_running_loop()
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", self.server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        await loop.sock_sendall(
            self._socket,
            f"GET /ws/ HTTP/1.1\r\nHost: {self.server.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode(),
        )
        await loop.sock_recv(self._socket, 65_536)
        await self.send({"type": "room.subscribe", "ref": 1, "room": self.room, "limit": 1})
        self._task = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self._socket, 65_536):
                self.received += len(data)
                await self.reading.wait()
        self.ended = time.monotonic()

    async def send(self, frame: dict[str, Any]) -> None:
        """One masked text frame; a mask of zeros leaves the bytes as they are."""
        data = json.dumps(frame).encode()
        assert len(data) < 126
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(
                self._socket, bytes((0x81, 0x80 | len(data), 0, 0, 0, 0)) + data
            )

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()


class StockUvicorn(Server):
    """The site under uvicorn with its own WebSocket class, in a data folder that is migrated."""

    def start(self, wait: bool = True) -> StockUvicorn:
        done = self.cli("migrate")
        assert done.returncode == 0, done.stderr
        super().start(wait)
        return self

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "uvicorn", "tertulia.project.asgi:application"),
            *("--port", str(self.port), "--ws", "websockets-sansio", "--no-proxy-headers"),
            *("--timeout-graceful-shutdown", "5", "--log-level", "warning"),
        ]
