"""One soak of one mode: an installation, people, small faults, samples, and the verdict."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ..faults.registry import Mode
from ..installation import Installation
from ..proxy import Proxy
from ..server import RELAXED, Server
from ..services import Postgres, Redis
from ..storm import Storm
from ..verdict import Verdict
from ..workload import Doors
from .faults import KILLED, Weather, plan
from .judge import LONG, Judged, judge
from .pages import Pages, fill, size
from .samples import Sample, take
from .visitors import Visitor

WRITERS, FOLLOWERS, VISITORS = 3, 3, 8
# Seconds between two sends of a writer, and two acts of a visitor.
PAUSE = 0.2
# Seconds in which everything that belonged to clients is gone once they are.
LEAVING = 15.0
# Seconds between two samples: so many in a soak, but none of them too often.
SAMPLES = 80
EVERY = (0.25, 5.0)

Say = Callable[[str], None]
Value = TypeVar("Value")


@dataclass
class Result:
    """What a soak has shown. `findings` are sentences; none is the proof."""

    mode: Mode
    seconds: float
    samples: list[Sample] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    did: Counter[str] = field(default_factory=Counter)
    faults: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    # Of SQLite; empty in the other mode.
    pages: Pages = field(default_factory=Pages)


class SoakStorm(Storm):
    """The recorded load, through the proxies, in a room that the visitors are in, too."""

    def __init__(self, installation: Installation, doors: Doors, folder: Path) -> None:
        super().__init__(
            installation,
            writers=WRITERS,
            followers=FOLLOWERS,
            pause=PAUSE,
            history=folder / "history.jsonl",
        )
        self.doors = doors
        self.visitors: list[str] = []

    async def tokens(self, count: int) -> list[str]:
        wanted = count + VISITORS
        # All of them at once, and no more than are needed: each takes two commands.
        people = await asyncio.to_thread(self.installation.here.people, wanted, wanted)
        everybody = [token for _, token in people]
        self.visitors = everybody[count:]
        return everybody

    def processes(self) -> list[tuple[str, int]]:
        return []  # their memory is judged here, by its trend


class Soak:
    """`play()` it once. `env` is added to the servers' environment; `names`: these faults only."""

    def __init__(
        self,
        mode: Mode,
        seconds: float,
        *,
        names: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        say: Say = lambda text: None,
    ) -> None:
        self.result = Result(mode, seconds)
        self._names = names
        self._env = {**RELAXED, **(env or {})}
        self._say = say
        self._stack = AsyncExitStack()
        self._redis: Redis | None = None
        self._postgres: Postgres | None = None

    async def play(self) -> Result:
        """Ends everything that it has begun, whatever happens."""
        result = self.result
        folder = Path(tempfile.mkdtemp(prefix="tertulia-soak-"))
        async with self._stack:
            self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
            installation = await _to_its_end(asyncio.to_thread(self._install))
            proxies = [
                await self._stack.enter_async_context(Proxy(server.port))
                for server in installation.servers
            ]
            doors = Doors(*(f"ws://127.0.0.1:{proxy.port}" for proxy in proxies))
            weather = Weather(installation, proxies, self._redis, self._postgres)
            storm = SoakStorm(installation, doors, folder)
            async with storm:
                await self._blow(storm, weather, doors)
                self._say(f"{result.mode}: checking")
                result.verdict = await storm.verdict()
            result.faults = weather.made
            await self._left_over(installation)
        result.judged = judge(result.samples, result.seconds, result.names, result.pages)
        result.findings += [str(each) for each in result.judged if each.broken]
        if not result.judged:
            result.findings.append("no process lived long enough to be judged")
        if not result.verdict.passed:
            result.findings.append(result.verdict.explained())
        return result

    def _install(self) -> Installation:
        if self.result.mode == "sqlite":
            server = Server(env=self._env)
            self._stack.callback(server.remove)
            return Installation([server.start()])
        self._postgres, self._redis = Postgres(), Redis()
        for service in (self._postgres, self._redis):
            self._stack.callback(service.remove)
            service.start()
        made = Installation.scaled(self._postgres, self._redis, self._env)
        self._stack.callback(made.remove)
        return made

    async def _blow(self, storm: SoakStorm, weather: Weather, doors: Doors) -> None:
        """The time of the soak: load, visitors, faults and samples."""
        stop = asyncio.Event()
        visitors = [
            Visitor(f"visitor-{n}", doors, token, storm.room, self.result.did)
            for n, token in enumerate(storm.visitors)
        ]
        visiting = [asyncio.create_task(v.run(stop, PAUSE)) for v in visitors]
        sampling = asyncio.create_task(self._sample(storm.installation))
        try:
            await self._faults(storm, weather, [*visiting, sampling])
        finally:
            stop.set()
            sampling.cancel()
            outcomes = await asyncio.gather(*visiting, sampling, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                self.result.findings.append(f"{type(outcome).__name__}: {outcome}")

    async def _faults(
        self, storm: SoakStorm, weather: Weather, tasks: list[asyncio.Task[Any]]
    ) -> None:
        began = time.monotonic()
        seconds = self.result.seconds
        # From now on he must not be given anything.
        await storm.remove_a_follower()
        due = plan(self.result.mode, seconds, self._names, random.Random())
        if KILLED not in {name for _, name in due}:
            await self._fill(storm)
        for at, name in due:
            if (left := began + at - time.monotonic()) > 0:
                await asyncio.sleep(left)
            self._say(
                f"{self.result.mode}: {(time.monotonic() - began) / 60:.1f} min,"
                f" {storm.acknowledged:,} acknowledged; {name}"
            )
            await _to_its_end(weather.make(name))
            if name != "resets":
                storm.healed()
            if name == KILLED:
                await self._fill(storm)
            storm.raise_early()
            if any(task.done() for task in tasks):
                return  # one of them has failed, which is told
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))

    async def _fill(self, storm: SoakStorm) -> None:
        """The writer of the process that will be judged keeps as many pages as it ever will."""
        if self.result.mode == "sqlite" and self.result.seconds >= LONG:
            self._say(f"{self.result.mode}: filling SQLite's page cache")
            await fill(storm.installation.here, storm.owner_token)
            self.result.pages.full_since = time.monotonic()

    async def _sample(self, installation: Installation) -> None:
        pause = min(max(self.result.seconds / SAMPLES, EVERY[0]), EVERY[1])
        while True:
            now = time.monotonic()
            for number, server in enumerate(installation.servers):
                sample = await asyncio.to_thread(take, server, now)
                if sample is not None:
                    self.result.samples.append(sample)
                    self._name(sample.pid, number)
            if self.result.mode == "sqlite":
                path = installation.here.database_file()
                self.result.pages.measured(now, await asyncio.to_thread(size, path))
            await asyncio.sleep(max(0.0, now + pause - time.monotonic()))

    def _name(self, pid: int, server: int) -> None:
        names = self.result.names
        if pid not in names:
            earlier = sum(name.startswith(f"server {server + 1}") for name in names.values())
            names[pid] = f"server {server + 1}" + (f", life {earlier + 1}" if earlier else "")

    async def _left_over(self, installation: Installation) -> None:
        """Everybody has gone: no server thinks that anybody is there."""
        deadline = time.monotonic() + LEAVING
        for number, server in enumerate(installation.servers, 1):
            while True:
                sample = await asyncio.to_thread(take, server, time.monotonic())
                if sample is not None and sample.connections == 0:
                    break
                if time.monotonic() > deadline:
                    left = "does not answer" if sample is None else f"{sample.connections} sockets"
                    self.result.findings.append(f"server {number} after everybody left: {left}")
                    break
                await asyncio.sleep(0.2)


async def _to_its_end(acting: Coroutine[Any, Any, Value]) -> Value:
    """Who is cancelled meanwhile waits for its end: what it starts has to be ended by somebody."""
    task = asyncio.create_task(acting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Exception):
            await task
        raise
