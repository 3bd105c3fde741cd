"""One who does not read is closed and may resume; nobody else notices."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from typing import Any

from tertulia.testing.server import Server
from tests.support.people import Person

LONG = "x" * 9_000


class Unread:
    """A WebSocket by hand, on a socket with the smallest of buffers, that reads when told to."""

    def __init__(self, server: Server, token: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /ws/ HTTP/1.1\r\nHost: {server.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        self.reader = self.socket.makefile("rb")
        assert b"101" in self.reader.readline()
        while self.reader.readline().strip():
            pass

    def send(self, frame: dict[str, Any]) -> None:
        """One masked text frame; a mask of zeros leaves the bytes as they are."""
        data = json.dumps(frame).encode()
        assert len(data) < 126
        self.socket.sendall(bytes((0x81, 0x80 | len(data), 0, 0, 0, 0)) + data)

    def receive(self) -> tuple[int, bytes]:
        """One frame: opcode and payload."""
        first, second = self.reader.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self.reader.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.reader.read(8))
        return first & 0x0F, self.reader.read(size)

    def wait_reply(self) -> None:
        while b'"reply"' not in self.receive()[1]:
            pass

    def close_code(self) -> int | None:
        """Read to the end: the code of the close frame, None where the end came without one."""
        try:
            while True:
                opcode, payload = self.receive()
                if opcode == 8:
                    return int(struct.unpack("!H", payload[:2])[0])
        except (OSError, ValueError, struct.error):
            return None
        finally:
            self.reader.close()
            self.socket.close()


async def test_who_does_not_read_is_closed_and_the_others_miss_nothing(
    talk: Any, eve: Person
) -> None:
    unread = await asyncio.to_thread(Unread, eve.server, eve.token)
    unread.send({"type": "room.subscribe", "ref": 1, "room": talk.room})
    await asyncio.to_thread(unread.wait_reply)
    for _ in range(12):
        await asyncio.gather(*(talk.ana.say(talk.room, LONG) for _ in range(50)))
    await talk.bea.reached(talk.room, 602)
    # He reads again before he is cut, and so is told, behind all that waited for him.
    assert await asyncio.to_thread(unread.close_code) == 1013
    late = await eve.connect()
    view = talk.bea.views[talk.room]
    result = await late.cmd("room.subscribe", room=talk.room, after=view.seq - 5,
                            epoch=late.welcome["epoch"])  # fmt: skip
    assert len(result["events"]) == 5


async def test_a_big_burst_closes_nobody_who_reads(talk: Any) -> None:
    await asyncio.gather(*(talk.ana.say(talk.room, LONG, seconds=30) for _ in range(400)))
    await talk.bea.reached(talk.room, 402, seconds=30)
    await talk.ana.reached(talk.room, 402, seconds=30)
    assert talk.bea.closed is None
    assert talk.ana.closed is None


async def test_a_slow_room_does_not_slow_another(talk: Any, eve: Person) -> None:
    unread = await asyncio.to_thread(Unread, eve.server, eve.token)
    unread.send({"type": "room.subscribe", "ref": 1, "room": talk.room})
    await asyncio.to_thread(unread.wait_reply)
    other = await talk.ana.create("Undisturbed")
    await talk.bea.subscribe(other)
    await asyncio.gather(*(talk.ana.say(talk.room, LONG) for _ in range(200)))
    sent = await talk.ana.say(other, "quick?")
    await talk.bea.reached(other, sent["seq"], seconds=5)
    unread.reader.close()
    unread.socket.close()
