"""Servers restarted politely, one after the other, under load."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from ..storm import Storm
from ..workload import Writer
from .registry import fault
from .stage import Stage

# Sends a second whose answers are timed, and the connections that they are spread over.
RATE = 20
STEADY = 8


@fault("rolling-restart", reach="0 lost; p99 of a reply ≤ 2 s", takes=120, alone=True)
async def rolling_restart(stage: Stage) -> None:
    """Four processes are restarted by SIGTERM one after the other; SQLite's single one alone."""
    installation = stage.installation(servers=stage.choose(short=2, quick=4, full=4))
    rounds = stage.choose(short=1, quick=1, full=5)
    servers = installation.servers * (rounds * (2 if stage.mode == "sqlite" else 1))
    windows = []
    async with stage.storm(installation) as storm:
        await storm.more(50)
        async with Steady(storm) as steady:
            for number in stage.trials(len(servers)):
                server = servers[number]
                began = time.monotonic()
                await storm.away(lambda server=server: server.restart(kill=False))  # type: ignore[misc]
                windows.append((began, time.monotonic()))
                await storm.more(50)
        waits = steady.within(windows)
    # One process that is down answers nobody: that is told, and has no bound.
    bound = 2.0 if stage.mode == "scaled" else None
    stage.figure("replies timed during restarts", len(waits), "")
    stage.figure("reply p99", waits[len(waits) * 99 // 100], "s", at_most=bound)
    stage.figure("slowest reply", waits[-1], "s")


class Steady:
    """Sends so many messages a second while it is entered, whether or not those before were
    answered, as part of a storm: who waits for an answer keeps nobody from asking."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self.doors = storm.installation.doors
        # (when it was due, seconds until its answer)
        self.waits: list[tuple[float, float]] = []
        self._made = 0
        self._idle: deque[Writer] = deque()
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Steady:
        self._idle.extend(self._another() for _ in range(STEADY))
        for writer in self._idle:
            await writer.connected()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Returns when all are answered."""
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        try:
            await asyncio.gather(*self._sending)
        finally:
            for writer in self._idle:
                await writer.drop()

    def _another(self) -> Writer:
        self._made += 1
        storm = self.storm
        name = f"steady-{self._made}"
        return Writer(name, self.doors, storm.owner_token, storm.room, storm.history)

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            due += 1 / RATE
            await asyncio.sleep(due - time.monotonic())
            self._sending.add(asyncio.create_task(self._send(due)))

    async def _send(self, due: float) -> None:
        # The one that has been idle for longest, so that every server is asked.
        writer = self._idle.popleft() if self._idle else self._another()
        await writer.write("steady")
        self.waits.append((due, time.monotonic() - due))
        self._idle.append(writer)

    def within(self, windows: list[tuple[float, float]]) -> list[float]:
        """Seconds, ascending, for the sends that were due in one of these spans of time."""
        return sorted(
            wait for due, wait in self.waits if any(begin <= due <= end for begin, end in windows)
        )
