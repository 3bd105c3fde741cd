"""Clients that read slowly or not at all: bounded for each, and nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

from ..checker import ALLOWANCE
from ..client import Client
from ..installation import Installation
from ..memory import resident
from ..metrics import Metrics
from ..server import Server
from ..storm import Storm
from ..workload import Follower, Writer, until
from ._peers import BUFFER, Peer, StockUvicorn
from .registry import fault
from .stage import RELAXED, Stage

MIB = 1024 * 1024
# What may wait for a socket (the contract's figure), and what one write may bring beyond it.
OUTBOX, WRITE = 4 * MIB, 256 * 1024
# The close code of who does not read (docs/protocol.md).
TOO_SLOW = 1013
# Seconds until a socket is cut whose peer does not answer a close, and for looking at it.
CUT = 14.0
LONG = "x" * 9_000
# Writers of long messages: as many are on their way at once.
FLOOD = 10


@fault(
    "clients-that-do-not-read",
    reach="≤ 4 MiB a socket, then 1013 and resume; 0 lost, doubled, reordered",
    takes=60,
)
async def clients_that_do_not_read(stage: Stage) -> None:
    """Some stop reading while 9 KB messages pour in; later they read again."""
    installation = await asyncio.to_thread(stage.installation)
    await _overflow(stage, installation, stage.choose(short=4, quick=8, full=30))


@fault(
    "clients-that-do-not-read-under-uvicorn",
    modes=("sqlite",),
    reach="≤ 4 MiB a socket, then 1013 and resume; 0 lost, doubled, reordered",
    takes=40,
)
async def under_stock_uvicorn(stage: Stage) -> None:
    """The same before another server's own WebSocket class: stock uvicorn."""
    server = stage.keep(StockUvicorn(env=RELAXED))
    await asyncio.to_thread(server.start)
    await _overflow(stage, Installation([server]), stage.choose(short=3, quick=6, full=20))


async def _overflow(stage: Stage, installation: Installation, count: int) -> None:
    async with stage.storm(installation, allowance=ALLOWANCE + (count + 2) * OUTBOX) as storm:
        # Fills the database's cache, and whatever else grows without slow clients too.
        await _flood(storm, stage.choose(short=20, quick=300, full=300))
        await until(_all_follow(storm), 10, "everybody follows")
        watch = _Watch(installation)
        before = watch.memory()
        async with _peers(installation, storm, count):
            early, late = asleep = storm.followers[:2]
            before_it = early.client
            for follower in asleep:
                await _fall_asleep(follower)
            slow = count + len(asleep)
            told = await watch.closed(TOO_SLOW)
            async with watch:
                for _ in range(20):
                    await _flood(storm, 100)
                    if await watch.overflows() >= slow:
                        break
                else:
                    raise AssertionError("two thousand long messages have closed nobody")
                closed = time.monotonic()
                told = await watch.closed(TOO_SLOW) - told
                stage.expect(told >= slow, f"{slow} sockets are closed with 1013, not {told:g}")
                # Who reads again in time finds out why, behind all that waited for him.
                _wake_up(early)
                assert before_it
                code = (await before_it.closing(CUT)).code
                stage.expect(code == TOO_SLOW, f"who reads again is closed with 1013, not {code}")
                left = len(storm.writers) + len(storm.followers) - 1
                await until(watch.holds_at_most(left), 30, "all of them are cut")
                cut = time.monotonic() - closed
            stage.trial(slow)
            storm.healed()
            _wake_up(late)
            await storm.more(30)
            await until(_returned(asleep), 30, "who was closed comes back")
    most = (OUTBOX + WRITE) / MIB
    stage.figure("waiting for one socket", watch.outbox / MIB, "MiB", at_most=most)
    if stage.length != "short":
        each = max(0, watch.most - before) / slow / MIB
        stage.figure("the servers' memory a socket", each, "MiB", at_most=5)
    stage.figure("cut after", cut, "s", at_most=CUT)


def _all_follow(storm: Storm) -> Callable[[], Awaitable[bool]]:
    async def all_follow() -> bool:
        return all(actor.client for actor in storm.writers) and all(
            follower.loads for follower in storm.followers
        )

    return all_follow


def _returned(followers: Sequence[Follower]) -> Callable[[], Awaitable[bool]]:
    async def returned() -> bool:
        return all(follower.resumes + follower.loads > 1 for follower in followers)

    return returned


async def _flood(storm: Storm, count: int) -> None:
    """So many long messages, several at once, as part of the storm."""
    writers = [Writer(f"flood-{n}", storm.installation.doors, storm.owner_token, storm.room,
                      storm.history) for n in range(FLOOD)]  # fmt: skip

    async def some(writer: Writer) -> None:
        for number in range(count // FLOOD):
            await writer.write(f"{number} {LONG}")
        await writer.drop()

    await asyncio.gather(*map(some, writers))


async def _fall_asleep(follower: Follower) -> None:
    """From now on it reads nothing, and its kernel takes little more."""
    assert follower.client
    transport = follower.client.socket.transport
    raw = transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    for _ in range(20):
        # The library reads on by itself when the frames that it holds have been taken.
        transport.pause_reading()
        await asyncio.sleep(0.02)


def _wake_up(follower: Follower) -> None:
    # Nobody can be told who does not read: his time to converge begins here.
    follower.note("connected")
    if follower.client is not None:
        transport = follower.client.socket.transport
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, OUTBOX)
        transport.resume_reading()


@asynccontextmanager
async def _peers(
    installation: Installation, storm: Storm, count: int, reading: bool = False
) -> AsyncIterator[list[Peer]]:
    """Peers in the storm's room, by turns at each of the servers."""
    servers = installation.servers
    peers = [Peer(servers[n % len(servers)], storm.owner_token, storm.room) for n in range(count)]
    try:
        for peer in peers:
            await peer.open()
            if not reading:
                peer.reading.clear()
        yield peers
    finally:
        for peer in peers:
            await peer.close()


class _Watch:
    """Looks at servers: the fullest outbox and the most memory while it is entered."""

    def __init__(self, installation: Installation) -> None:
        self.servers = installation.servers
        self.outbox = 0.0
        self.most = 0

    def memory(self) -> int:
        """Bytes that all processes occupy together."""
        return sum(resident(pid) for server in self.servers for pid in server.worker_pids())

    async def closed(self, code: int) -> float:
        """Sockets that the servers have closed with this code so far."""
        found = [await asyncio.to_thread(Metrics.of, server) for server in self.servers]
        return sum(m("connections_closed_total", code=str(code)) for m in found)

    def sockets(self) -> int:
        """Connections that the servers hold, whether or not their peers still do."""
        return sum(_held(server) for server in self.servers)

    async def overflows(self) -> float:
        """Sockets that were closed because their outbox was full."""
        found = [await asyncio.to_thread(Metrics.of, server) for server in self.servers]
        self.outbox = max(self.outbox, *(m("outbox_greatest_bytes") for m in found))
        self.most = max(self.most, self.memory())
        return sum(m("outbox_overflows_total") for m in found)

    def holds_at_most(self, count: int) -> Callable[[], Awaitable[bool]]:
        """A condition for `until`."""

        async def holds() -> bool:
            return self.sockets() <= count

        return holds

    async def __aenter__(self) -> _Watch:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self.overflows()
            await asyncio.sleep(0.05)


def _held(server: Server) -> int:
    ours = f"{server.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # But for the one that listens (its state is 0A).
    inodes = {row[9] for row in rows if row[1].endswith(f":{ours}") and row[3] != "0A"}
    count = 0
    for pid in server.worker_pids():
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += os.readlink(descriptor).removeprefix("socket:").strip("[]") in inodes
    return count


# What the others notice


@fault("slow-clients-and-the-others", reach="the others' p99 within 10 %", takes=200, alone=True)
async def slow_clients_and_the_others(stage: Stage) -> None:
    """Deliveries to others, by turns while ten clients read and while they do not."""
    turns, seconds = stage.choose(short=(1, 1.0), quick=(6, 2.5), full=(25, 3.0))
    installation = await asyncio.to_thread(stage.installation)
    ratios = []
    async with (
        stage.storm(installation, writers=1, followers=1, pause=0.1) as storm,
        _peers(installation, storm, 10, reading=True) as peers,
    ):
        voice = await _Voice(storm).open()
        for number in stage.trials(turns):
            measured = {}
            # In either order: a machine that grows slower must not tell.
            for reading in (True, False) if number % 2 else (False, True):
                for peer in peers:
                    peer.reading.set() if reading else peer.reading.clear()
                    await peer.send({"type": "ping", "ref": 2})
                await asyncio.sleep(0.3)
                measured[reading] = await voice.p99(seconds)
            ratios.append(measured[False] / measured[True])
        await voice.close()
        stage.expect(all(peer.ended is None for peer in peers), "nobody was closed meanwhile")
    bound = 1.1 if stage.length == "full" else None
    name = "p99 beside slow clients to that beside reading ones"
    stage.figure(name, median(ratios), "times", at_most=bound)
    if bound is None:
        stage.note("too few turns for a bound on the others' p99: the full length has one")


class _Voice:
    """One who speaks in the storm's room, and one who hears it, where there are several processes
    at another one."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self._word = ""
        self._heard: asyncio.Future[float]

    async def open(self) -> _Voice:
        servers = self.storm.installation.servers
        token = self.storm.owner_token
        self.mouth = await Client.connect(servers[0].ws, token=token)
        self.ear = await Client.connect(servers[-1].ws, token=token)
        self.ear.on_frame = self._take
        await self.ear.subscribe(self.storm.room, limit=1)
        return self

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] != "message.created" or not self._word:
            return
        if frame["message"]["text"].startswith(self._word):
            self._heard.set_result(time.monotonic())
            self._word = ""

    async def p99(self, seconds: float) -> float:
        """Seconds from sending to hearing, the 99th percentile of so long a time."""
        end = time.monotonic() + seconds
        took: list[float] = []
        while time.monotonic() < end:
            self._word, self._heard = f"{len(took):09} ", asyncio.get_running_loop().create_future()
            began = time.monotonic()
            await self.mouth.say(self.storm.room, self._word + 2_000 * "x")
            took.append(await asyncio.wait_for(self._heard, 10) - began)
            await asyncio.sleep(0.005)
        return sorted(took)[int(0.99 * len(took))]

    async def close(self) -> None:
        await self.mouth.close()
        await self.ear.close()
