"""A crowd: thousands of lean clients of one room in a process of their own.

Run as a program, it reads commands from its standard input and answers each by a JSON line:

    {"doors": ["127.0.0.1:8000"], "tokens": [...], "room": "lobby", "count": 10000}   first
    open        all connect, 200 at a time, and subscribe
    whole       wait until all of them are subscribed
    cut         all connections are cut at once; their owners come back at once
    reach SEQ   wait until all have applied that seq

An answer counts: `here` (subscribed now), `behind` (below SEQ), `returns` (connections after the
first that got as far), `refused` (attempts that did not), `loads` (subscriptions from the newest
messages), `doubled` and `gaps` (events that came again, or too early). Whoever loses his
connection comes back by himself, resumes where he was, and tries again after about a second.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import struct
import sys
from pathlib import Path
from typing import Any

AT_ONCE = 200
# Seconds between two attempts of one client, on average.
AGAIN = 1.0
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Crowd:
    """All clients, and what they have seen go wrong."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.doors: list[str] = setup["doors"]
        self.room: str = setup["room"]
        tokens = setup["tokens"]
        self.members = [
            Member(self, number, tokens[number % len(tokens)]) for number in range(setup["count"])
        ]
        self.counts = dict.fromkeys(("returns", "refused", "loads", "doubled", "gaps"), 0)
        self.changed = asyncio.Event()

    async def carry_out(self, words: list[str]) -> dict[str, int]:
        """One command; its answer."""
        seq = 0
        match words:
            case ["open"]:
                await self._open()
            case ["cut"]:
                for member in self.members:
                    member.cut()
            case ["whole"]:
                await self._until(lambda: all(member.here for member in self.members))
            case ["reach", number]:
                seq = int(number)
                await self._until(lambda: all(member.seq >= seq for member in self.members))
            case _:
                raise ValueError(f"no such command: {words}")
        here = sum(member.here for member in self.members)
        behind = sum(member.seq < seq for member in self.members)
        return {"here": here, "behind": behind, **self.counts}

    async def _open(self) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(member: Member) -> None:
            async with places:
                member.come()
                await member.arrived.wait()

        await asyncio.gather(*map(one, self.members))

    async def _until(self, condition: Any) -> None:
        """The asker limits the time, and ends this process when it is over."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()
            # Whatever else has arrived by now is taken first.
            await asyncio.sleep(0.01)


class Member(asyncio.Protocol):
    """One client over all its connections. `seq`: the last event applied; -1 before the first."""

    def __init__(self, crowd: Crowd, number: int, token: str) -> None:
        self.crowd = crowd
        self.number = number
        self.token = token
        self.seq = -1
        self.epoch = ""
        self.connect_token = ""
        self.arrived = asyncio.Event()
        self.attempts = 0
        self._transport: asyncio.Transport | None = None
        self._coming: asyncio.Task[None] | None = None
        self._upgraded = False
        self._buffer = b""

    @property
    def here(self) -> bool:
        """Subscribed over the present connection."""
        return self.arrived.is_set()

    def come(self) -> None:
        """Connect, however often it takes."""
        self._coming = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop, doors = asyncio.get_running_loop(), self.crowd.doors
        while True:
            host, _, port = doors[(self.number + self.attempts) % len(doors)].partition(":")
            self.attempts += 1
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(loop.create_connection(lambda: self, host, int(port)), 30)
                return
            self.crowd.counts["refused"] += 1
            await asyncio.sleep(random.uniform(0.5, 1.5) * AGAIN)

    def cut(self) -> None:
        """Lose the connection without a closing handshake."""
        if self._transport:
            self._transport.abort()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._upgraded, self._buffer = transport, False, b""
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/ HTTP/1.1\r\nHost: {self.crowd.doors[0]}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: tertulia.v1, tertulia.connect.{self.connect_token}\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self.cut()
                return
            self._upgraded, self._buffer = True, rest
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def connection_lost(self, error: Exception | None) -> None:
        was_here = self.here
        self._transport = None
        self.arrived.clear()
        if not was_here:
            self.crowd.counts["refused"] += 1
        # Whoever was here comes back at once, whoever never got in after a while.
        pause = 0.0 if was_here else random.uniform(0.5, 1.5) * AGAIN
        asyncio.get_running_loop().call_later(pause, self.come)

    # Frames

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Opcode and payload of the next whole frame; servers send neither masks nor fragments."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length == 126 and len(buffer) >= 4:
            (length,), start = struct.unpack_from("!H", buffer, 2), 4
        elif length == 127 and len(buffer) >= 10:
            (length,), start = struct.unpack_from("!Q", buffer, 2), 10
        elif length >= 126:
            return None
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 15, buffer[start : start + length]

    def _send(self, opcode: int, payload: bytes) -> None:
        """With a mask of zeros: it has to be there, not to hide anything."""
        size = len(payload)
        length = bytes([128 | size]) if size < 126 else struct.pack("!BH", 128 | 126, size)
        if self._transport:
            self._transport.write(bytes([128 | opcode]) + length + bytes(4) + payload)

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self._send(_PONG, payload)
        elif opcode == _CLOSE:
            self.cut()
        elif opcode == _TEXT:
            self._understand(json.loads(payload))

    def _understand(self, frame: dict[str, Any]) -> None:
        self.connect_token = frame.get("connect") or self.connect_token
        if frame["type"] == "welcome":
            self._subscribe(frame["epoch"])
        elif frame["type"] == "reply":
            self._subscribed(frame)
        elif "actor" in frame and frame.get("room") == self.crowd.room:
            self._apply(frame["seq"])

    def _subscribe(self, epoch: str) -> None:
        command: dict[str, Any] = {"type": "room.subscribe", "ref": 1, "room": self.crowd.room}
        if self.seq >= 0:
            command |= {"after": self.seq, "epoch": self.epoch}
        self.epoch = epoch
        self._send(_TEXT, json.dumps(command).encode())

    def _subscribed(self, reply: dict[str, Any]) -> None:
        if not reply["ok"]:
            self.cut()
            return
        result, counts = reply["result"], self.crowd.counts
        if "events" in result:
            for event in result["events"]:
                self._apply(event["seq"])
            counts["gaps"] += self.seq != result["head"]
            counts["returns"] += 1
        else:
            counts["loads"] += 1
        self.seq = result["head"]
        self.arrived.set()
        self.crowd.changed.set()

    def _apply(self, seq: int) -> None:
        self.crowd.counts["doubled"] += seq <= self.seq
        self.crowd.counts["gaps"] += seq > self.seq + 1
        self.seq = max(seq, self.seq)
        self.crowd.changed.set()


class Remote:
    """A crowd in a process of its own, as its owner sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, doors: list[str], tokens: list[str], room: str, count: int) -> Remote:
        """`doors`: addresses as "127.0.0.1:8000"; the tokens' owners are members of the room."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(Path(__file__))),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        remote = cls(process)
        remote._write(json.dumps({"doors": doors, "tokens": tokens, "room": room, "count": count}))
        return remote

    def _write(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")

    async def ask(self, command: str, seconds: float) -> dict[str, int]:
        """One command's answer; TimeoutError after `seconds`, when the crowd is of no use more."""
        assert self._process.stdout
        self._write(command)
        line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        if not line:
            raise AssertionError(f"the crowd ended at {command!r}")
        answer: dict[str, int] = json.loads(line)
        return answer

    async def end(self) -> None:
        """All connections go with the process."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


async def main() -> None:
    """Carries out what comes by the standard input, until it ends."""
    loop = asyncio.get_running_loop()
    crowd = Crowd(json.loads(sys.stdin.readline()))
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await crowd.carry_out(line.split())), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
