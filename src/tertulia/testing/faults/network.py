"""The network between clients and servers: connections reset, half-open, slow, cut in pieces."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from ..client import Client
from ..history import Line
from ..installation import Installation
from ..proxy import Proxy
from ..storm import Storm
from ..toxics import make
from ..workload import BROKEN, Doors, Follower, until
from ._measure import Metrics
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


# A client who watches: what the browser's SDK does, and docs/protocol.md asks of others.

# Seconds by which a heartbeat may be late, and for the answer to a ping.
LATE = 0.5
ANSWER = 4.0
# Seconds after which a dead peer has to be known.
NOTICED = 30.0


class Watchful(Follower):
    """Takes a connection for dead that is silent for a heartbeat and answers no ping."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard = 0.0
        self.noticed: float | None = None

    async def watch(self) -> None:
        """Beside `run`."""
        while True:
            await asyncio.sleep(0.1)
            client = self.client
            if client is None or not client.welcome:
                continue
            if client.on_frame is None or self.heard == 0.0:
                continue
            if time.monotonic() - self.heard > client.welcome["heartbeat"] + LATE:
                await self._ask(client)

    async def _ask(self, client: Client) -> None:
        try:
            await client.cmd("ping", seconds=ANSWER)
        except BROKEN:
            self.noticed = time.monotonic()
            with contextlib.suppress(*BROKEN):
                await client.vanish()

    def _take(self, frame: dict[str, Any]) -> None:
        self.heard = time.monotonic()
        super()._take(frame)


@fault(
    "half-open",
    reach="a dead peer is noticed ≤ 30 s, resumed ≤ 2 s; 0 lost, doubled, reordered",
    takes=80,
)
async def half_open(stage: Stage) -> None:
    """Connections die without a word, as behind a router that has forgotten them."""
    if stage.length == "short":
        stage.note("a silent peer is waited for for half a minute: not in the short form")
        return
    # So slow that what is missed in half a minute can be resumed: less than 500 events.
    how = {"followers": 0, "pause": 0.6}
    async with proxied(stage) as installation, stage.storm(installation, **how) as storm:
        watchful = [Watchful(f"watchful-{n}", installation.doors, storm.owner_token, storm.room,
                             storm.history) for n in range(3)]  # fmt: skip
        storm.followers += watchful
        storm.following += [asyncio.create_task(w.run()) for w in watchful]
        watching = [asyncio.create_task(w.watch()) for w in watchful]
        await storm.more(30)
        await until(_all_loaded(watchful), 10, "everybody follows")
        dead, cut = _die(installation), time.monotonic()
        stage.trial(dead)
        await until(lambda: _all_noticed(watchful), 40, "every client has noticed")
        noticed = max(w.noticed or 0.0 for w in watchful)
        resumed = await _resumed(storm, cut) - noticed
        stage.figure("noticed by the clients", noticed - cut, "s", at_most=NOTICED)
        stage.figure("resumed then", resumed, "s", at_most=2)
        server = await _noticed_by_servers(installation, dead, cut)
        # The contract gives a silent client two heartbeats.
        stage.figure("noticed by the servers", server, "s", at_most=52)
        for task in watching:
            task.cancel()


def _die(installation: Proxied) -> int:
    """Every connection that is open now carries nothing any more; how many."""
    chance = random.Random()
    count = 0
    for proxy in installation.proxies:
        for connection in list(proxy.connections):
            for stream in ("upstream", "downstream"):
                connection.add(make("timeout", chance, timeout=0, stream=stream))
            count += 1
    return count


def _all_loaded(followers: list[Watchful]) -> Any:
    async def loaded() -> bool:
        return all(follower.loads for follower in followers)

    return loaded


async def _all_noticed(followers: list[Watchful]) -> bool:
    return all(follower.noticed for follower in followers)


async def _noticed_by_servers(installation: Installation, dead: int, cut: float) -> float:
    """Seconds until the servers have given up so many connections as silent."""

    async def all_closed() -> bool:
        metrics = [await asyncio.to_thread(Metrics.of, s) for s in installation.servers]
        await asyncio.sleep(0.2)
        return sum(m("connections_closed_total", code="4408") for m in metrics) >= dead

    await until(all_closed, 60, "the servers have closed every silent connection with 4408")
    return time.monotonic() - cut


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
