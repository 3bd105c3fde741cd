"""A crowd: thousands of lean clients of one room in a process of their own.

`python -m tertulia.testing.crowd` reads commands from its standard input and answers each by a
JSON line:

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
import contextlib
import json
import random
import sys
from typing import Any

from .rawsocket import CLOSE, PING, PONG, TEXT, first_frame, masked, upgrade
from .server import clean_environment

AT_ONCE = 200
# Seconds between two attempts of one client, on average.
AGAIN = 1.0


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
        protocols = f"tertulia.v1, tertulia.connect.{self.connect_token}"
        transport.write(upgrade(self.crowd.doors[0], self.token, protocols=protocols))

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
        while (frame := first_frame(self._buffer)) is not None:
            opcode, payload, self._buffer = frame
            self._take(opcode, payload)

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

    def _send(self, opcode: int, payload: bytes) -> None:
        if self._transport:
            self._transport.write(masked(opcode, payload))

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._send(PONG, payload)
        elif opcode == CLOSE:
            self.cut()
        elif opcode == TEXT:
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
        self._send(TEXT, json.dumps(command).encode())

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
            *(sys.executable, "-P", "-m", "tertulia.testing.crowd"),
            env=clean_environment(),
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
