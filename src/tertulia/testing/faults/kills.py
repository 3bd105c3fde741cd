"""Servers killed by SIGKILL under load: at random, and just behind a commit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import time
from pathlib import Path

from ..checker import DEADLINE
from ..client import Client, Closed
from ..failpoints import VARIABLE
from ..installation import Installation
from ..processes import alive
from ..server import Server
from .registry import fault
from .stage import Stage

# What a process writes last that a failpoint kills.
STRUCK = re.compile(r"failpoint [a-z-]+: kill\b")


@fault("killed-at-random", reach="500 kills, 0 lost, doubled, reordered", takes=1200)
async def killed_at_random(stage: Stage) -> None:
    """Servers are killed by SIGKILL at random times."""
    installation = stage.installation(servers=2)
    async with stage.storm(installation, **_recorded(stage)) as storm:
        for number in stage.trials(stage.choose(short=4, quick=15, full=500)):
            await storm.more(30)
            if number == 1:
                await storm.remove_a_follower()
            await asyncio.sleep(stage.chance.uniform(0, 0.3))
            victim = installation.servers[number % len(installation.servers)]
            await storm.away(victim.restart)
        await storm.more(30)
        stage.expect(any(f.resumes for f in storm.followers), "followers resumed")
        stage.expect(storm.history.counts["unknown"], "some sends were cut off before their answer")


@fault("worker-killed", modes=("scaled",), reach="100 kills, 0 lost, doubled, reordered", takes=150)
async def worker_killed(stage: Stage) -> None:
    """One of the two workers of `--workers 2` is killed by SIGKILL; the other goes on."""
    installation = stage.installation(servers=1, workers=2)
    server = installation.here
    async with stage.storm(installation, **_recorded(stage)) as storm:
        for _ in stage.trials(stage.choose(short=3, quick=8, full=100)):
            await storm.more(50)
            workers = [pid for pid in server.worker_pids() if alive(pid)]
            os.kill(stage.chance.choice(workers), signal.SIGKILL)
            await asyncio.sleep(0.5)
        await storm.more(50)


@fault(
    "killed-after-commit",
    reach="200 kills, ≥ 100,000 acknowledged, 0 lost or doubled; others converge ≤ 5 s",
    takes=600,
)
async def killed_after_commit(stage: Stage) -> None:
    """A server kills itself between a commit and the answers, or between these and the news."""
    kills = stage.choose(short=4, quick=12, full=200)
    messages = stage.choose(short=100, quick=2_000, full=100_000)
    # Once in so many commits, on average; a commit holds one message or a few.
    chance = stage.choose(short=0.02, quick=0.005, full=0.0012)
    points = {VARIABLE: f"after-commit=kill:{chance},before-publish=kill:{chance}"}
    installation = stage.installation(servers=2, env=points)
    await _until_killed(stage, installation, kills, messages)
    if stage.mode == "scaled":
        await _last_words(stage, installation)
        workers = stage.installation(servers=1, env=points, workers=2)
        await _until_killed(stage, workers, kills // 4, messages // 10)


async def _until_killed(
    stage: Stage, installation: Installation, kills: int, messages: int
) -> None:
    """Load until so many servers have killed themselves and so many messages are answered."""
    stage.due = (stage.due or 0) + kills
    begun = stage.outcome.trials
    enough = begun + kills
    before = _struck(installation)
    # From the start: what makes the room is committed, too.
    watching = [asyncio.create_task(_watch(stage, server)) for server in installation.servers]
    try:
        async with stage.storm(installation, writers=8, **_recorded(stage)) as storm:
            while stage.outcome.trials < enough or storm.acknowledged < messages:
                storm.raise_early()
                for watch in watching:
                    if watch.done():
                        watch.result()
                await asyncio.sleep(0.1)
            # From now on nobody dies any more.
            for server in installation.servers:
                server.env[VARIABLE] = ""
            await _end(watching)
            died, struck = stage.outcome.trials - begun, _struck(installation) - before
            told = f"whoever died was killed: {died} died, {struck} were killed"
            stage.expect(died <= struck, told)
            for server in installation.servers:
                await storm.away(server.restart)
            await storm.more(30)
    finally:
        await _end(watching)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _struck(installation: Installation) -> int:
    """How many processes have said that a failpoint kills them now."""
    return sum(
        len(STRUCK.findall(server.log.read_text(errors="replace")))
        for server in installation.servers
    )


async def _last_words(stage: Stage, installation: Installation) -> None:
    """The one who wrote last dies before he has told anybody, and nobody writes after him: no later
    event shows that one is lacking, so the others have to look by themselves."""
    here, there = installation.servers
    here.env[VARIABLE], there.env[VARIABLE] = "before-publish=kill", ""
    (_, speaker), (_, listener) = await asyncio.to_thread(there.people, 2)
    worst = 0.0
    async with (
        await Client.connect(there.ws, token=listener) as ear,
        await Client.connect(there.ws, token=speaker) as owner,
    ):
        room = await owner.create("Last words", "private", members=[ear.id])
        await ear.subscribe(room)
        for _ in stage.trials(stage.choose(short=1, quick=3, full=20)):
            await asyncio.to_thread(here.restart)
            due = ear.views[room].seq + 1
            async with await Client.connect(here.ws, token=speaker) as client:
                with contextlib.suppress(Closed):
                    await client.say(room, "before I go")
            began = time.monotonic()
            await ear.reached(room, due, 30)
            worst = max(worst, time.monotonic() - began)
            stage.answered(1)
    stage.figure("last words heard", worst, "s", at_most=DEADLINE)


async def _watch(stage: Stage, server: Server) -> None:
    """Counts the processes of a server that die, and starts it again when it is down."""
    known: set[int] = set()
    while True:
        assert server.process
        if not server.process.running:
            # It may die again before it is ready.
            ended = server.process.popen.returncode
            assert ended == -signal.SIGKILL, f"a server ended by itself ({ended}): {server.tail()}"
            stage.trial()
            known = set()
            await asyncio.to_thread(server.start, wait=False)
        elif server.workers > 1:
            now = {pid for pid in server.worker_pids() if alive(pid)}
            stage.trial(len(known - now))
            known = now
        await asyncio.sleep(0.02)


def _recorded(stage: Stage) -> dict[str, Path]:
    """A full length's history does not fit into memory."""
    return {"history": stage.folder() / "history"} if stage.length == "full" else {}
