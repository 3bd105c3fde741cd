"""The network between clients and servers: connections reset, half-open, slow, cut in pieces."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from ..history import Line
from ..installation import Installation
from ..metrics import Metrics
from ..proxy import Proxy
from ..server import Server
from ..storm import Storm
from ..toxics import make
from ..workload import Doors, until
from ._walker import ALL_SENT, walking
from .registry import fault
from .stage import Stage


class Proxied(Installation):
    """An installation whose clients come through a proxy before each of its servers."""

    def __init__(self, behind: Installation, proxies: list[Proxy]) -> None:
        super().__init__(behind.servers)
        self.proxies = proxies

    @property
    def doors(self) -> Doors:
        return Doors(*(f"ws://127.0.0.1:{proxy.port}" for proxy in self.proxies))


@asynccontextmanager
async def proxied(stage: Stage) -> AsyncIterator[Proxied]:
    """A running installation behind proxies."""
    behind = await asyncio.to_thread(stage.installation)
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(Proxy(s.port)) for s in behind.servers]
        yield Proxied(behind, proxies)


@fault("connections-reset", reach="0 lost, doubled, reordered; resumed ≤ 2 s", takes=150)
async def connections_reset(stage: Stage) -> None:
    """All connections are reset (RST) under load, again and again."""
    resumed = 0.0
    async with proxied(stage) as installation, stage.storm(installation) as storm:
        for _ in stage.trials(stage.choose(short=5, quick=25, full=200)):
            await storm.more(30)
            cut = time.monotonic()
            for proxy in installation.proxies:
                proxy.reset_all()
            resumed = max(resumed, await _resumed(storm, cut) - cut)
        await storm.more(30)
    stage.figure("resumed", resumed, "s", at_most=2)


async def _resumed(storm: Storm, since: float) -> float:
    """When the last of all followers had resumed (or loaded anew) after `since`."""
    names = {follower.name for follower in storm.followers}
    times: dict[str, float] = {}

    async def all_resumed() -> bool:
        for line in _after(storm, since):
            if line["op"] in ("resumed", "load"):
                times[line["client"]] = line["t"]
        return names <= set(times)

    await until(all_resumed, 20, "every follower resumed")
    return max(times.values())


def _after(storm: Storm, since: float) -> list[Line]:
    """The history from `since` on, the newest line first."""
    found = []
    for line in reversed(storm.history.lines):
        if line["t"] < since:
            break
        found.append(line)
    return found


@fault("network-away", reach="0 lost, doubled, reordered; resumed ≤ 2 s", takes=150)
async def network_away(stage: Stage) -> None:
    """Nothing passes for a while, new connections neither, and nobody is told."""
    resumed = 0.0
    async with proxied(stage) as installation, stage.storm(installation) as storm:
        for seconds in stage.choose(short=[2], quick=[2, 15], full=[2, 8, 30, 60]):
            await storm.more(30)
            stage.say(f"away for {seconds} s")
            for proxy in installation.proxies:
                proxy.half_open()
            await asyncio.sleep(seconds)
            for proxy in installation.proxies:
                proxy.clear()
            storm.healed()
            back = time.monotonic()
            resumed = max(resumed, await _resumed(storm, back) - back)
            stage.trial()
        await storm.more(30)
    stage.figure("resumed", resumed, "s", at_most=2)


# With these settings a heartbeat is 2 seconds, with the site's own 25.
BRISK = {"DJANGO_SETTINGS_MODULE": f"{__package__}._brisk"}
# What follows a heartbeat until a page shows all again: it is half a second late, the answer to a
# ping is waited for 4 seconds, half a second at most goes by before it tries anew, and then it has
# 2 seconds.
NOTICED = 0.5 + 4 + 0.5 + 2
# Heartbeats without a sign of life that a server allows, and seconds until it has looked.
UNSEEN, LOOKED = 2, 2


@fault(
    "half-open",
    reach="a page notices ≤ 30 s and shows all ≤ 2 s later; the server lets go of the dead socket"
    " ≤ 52 s; 0 lost, doubled, reordered",
    takes=220,
)
async def half_open(stage: Stage) -> None:
    """A browser's connections die without a word, as behind a router that has forgotten them."""
    heartbeat, env = stage.choose(short=(2, BRISK), quick=(25, {}), full=(25, {}))
    installation = await asyncio.to_thread(stage.installation, env=env)
    shown = 0.0
    async with walking(stage, installation) as walker, _Silent(installation.here) as silent:
        tab = await walker.page()
        for number in stage.trials(stage.choose(short=1, quick=2, full=6)):
            _forget(walker.proxy)
            cut = time.monotonic()
            silent.since(cut)
            mine, other = f"turn {number}: mine", f"turn {number}: another's"
            # Who writes into it finds out sooner, by the answer that does not come.
            writes = number % 2 == 0
            if writes:
                await walker.says(tab, [mine])
            await walker.witness.say(walker.storm.room, other)
            await tab.until(ALL_SENT, [other], seconds=60)
            if writes:
                await walker.all_shown(tab, [mine])
            shown = max(shown, time.monotonic() - cut)
            stage.say(f"all is shown after {time.monotonic() - cut:.1f} s")
        let_go = await silent.let_go(2 * UNSEEN * heartbeat)
    stage.figure("a page shows all again", shown, "s", at_most=heartbeat + NOTICED)
    stage.figure("the server lets go", let_go, "s", at_most=UNSEEN * heartbeat + LOOKED)


def _forget(proxy: Proxy) -> None:
    """Every connection that is open now carries nothing any more; new ones do."""
    chance = random.Random()
    for connection in list(proxy.connections):
        for stream in ("upstream", "downstream"):
            connection.add(make("timeout", chance, timeout=0, stream=stream))


class _Silent:
    """When a server gives up sockets that are dead without its knowing: one after the other."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._waiting: list[asyncio.Task[float]] = []

    async def __aenter__(self) -> _Silent:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    def since(self, cut: float) -> None:
        """One more has died at this (monotonic) time."""
        self._waiting.append(asyncio.create_task(self._closed(len(self._waiting), cut)))

    async def _closed(self, before: int, cut: float) -> float:
        async def given_up() -> bool:
            metrics = await asyncio.to_thread(Metrics.of, self.server)
            return metrics("connections_closed_total", code="4408") > before

        await until(given_up, 120, "the server has closed a silent connection with 4408")
        return time.monotonic() - cut

    async def let_go(self, seconds: float) -> float:
        """The longest that it took; the last is waited for so long."""
        return max(await asyncio.wait_for(asyncio.gather(*self._waiting), seconds))


# Toxics, by turns: each with what it is given.
TOXICS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "latency": [
        ("latency", {"latency": 100, "jitter": 50, "stream": "upstream"}),
        ("latency", {"latency": 100, "jitter": 50, "stream": "downstream"}),
    ],
    "bandwidth": [("bandwidth", {"rate": 40, "stream": "downstream"})],
    "slicer": [
        ("slicer", {"average_size": 20, "size_variation": 15, "stream": "upstream"}),
        ("slicer", {"average_size": 200, "size_variation": 150, "stream": "downstream"}),
    ],
    "limit": [("limit_data", {"bytes": 30_000, "stream": "downstream"})],
    "slow close": [
        ("slow_close", {"delay": 500, "stream": "downstream"}),
        ("reset_peer", {"timeout": 300, "toxicity": 0.5}),
    ],
}


@fault("network-toxics", reach="0 lost, doubled, reordered under each", takes=60)
async def network_toxics(stage: Stage) -> None:
    """Latency, narrow lines, frames in bits, connections that end in the middle, none at all."""
    # Less than the five seconds in which who is connected has to have everything.
    seconds = stage.choose(short=0.8, quick=3.0, full=4.0)
    async with proxied(stage) as installation, stage.storm(installation) as storm:
        for _ in range(stage.choose(short=1, quick=1, full=5)):
            for name, toxics in TOXICS.items():
                stage.say(name)
                for proxy in installation.proxies:
                    for kind, how in toxics:
                        proxy.add(kind, **how)
                await asyncio.sleep(seconds)
                for proxy in installation.proxies:
                    proxy.clear()
                await _goes_on(stage, storm)
            stage.say("down")
            for proxy in installation.proxies:
                await proxy.down()
            await asyncio.sleep(seconds)
            for proxy in installation.proxies:
                await proxy.up()
            await _goes_on(stage, storm)


async def _goes_on(stage: Stage, storm: Storm) -> None:
    storm.healed()
    await storm.more(30)
    stage.trial()
