"""Redis dies or forgets everything: nothing acknowledged depends on it."""

from __future__ import annotations

import asyncio
import time

from ..installation import Installation
from ._measure import Ear
from .registry import fault
from .stage import Stage

# Both of channels-redis' layers.
LAYERS = ("pubsub", "core")
# Sends that are answered a second, at least, while Redis is away: four writers who pause for
# milliseconds get hundreds, so that only those who are kept waiting get less.
ANSWERED = 20
# Seconds between two times that a process joins its groups anew, and until it shows.
REJOINED, SHOWN = 10.0, 1.0


@fault(
    "redis-killed",
    modes=("scaled",),
    reach="0 lost; sends are answered meanwhile; live again ≤ 2 s after it is back",
    takes=200,
)
async def redis_killed(stage: Stage) -> None:
    """Redis is killed and comes back, empty, after 0, 5 and 60 s; with either layer."""
    pauses = stage.choose(short=[1], quick=[0, 5], full=[0, 5, 60])
    answered, live = [], 0.0
    for layer in LAYERS:
        installation = await _installation(stage, layer)
        async with stage.storm(installation) as storm, Ear(installation) as ear:
            for pause in pauses:
                stage.say(f"{layer}: away for {pause} s")
                await storm.more(60)
                await storm.away(stage.redis().kill9)
                if pause == pauses[0]:
                    await storm.remove_a_follower()
                if pause:
                    before, since = storm.acknowledged, time.monotonic()
                    await asyncio.sleep(pause)
                    # The sweep finds what nobody could tell of.
                    await ear.hears()
                    seconds = time.monotonic() - since
                    answered.append((storm.acknowledged - before) / seconds)
                await storm.away(stage.redis().start)
                back = time.monotonic()
                live = max(live, await ear.live_since() - back)
                stage.trial()
            await storm.more(60)
    least = min(answered)
    stage.expect(least >= ANSWERED, f"{ANSWERED} sends a second are answered without Redis")
    stage.figure("answered while it was away, at least", least, "sends a second")
    stage.figure("live again", live, "s", at_most=2)


@fault(
    "redis-flushed",
    modes=("scaled",),
    reach="no socket goes deaf; live again ≤ 11 s",
    takes=200,
)
async def redis_flushed(stage: Stage) -> None:
    """FLUSHALL every 10 s, under load; with either layer."""
    flushes = stage.choose(short=1, quick=2, full=9)
    every = stage.choose(short=0.0, quick=10.0, full=10.0)
    heard = live = 0.0
    for layer in LAYERS:
        installation = await _installation(stage, layer)
        async with stage.storm(installation) as storm, Ear(installation) as ear:
            for _ in stage.trials(flushes):
                await storm.more(50)
                await storm.away(stage.redis().flush)
                flushed = time.monotonic()
                heard = max(heard, await ear.hears())
                # That may have been the sweep's doing; the layer, too, comes back.
                live = max(live, await ear.live_since() - flushed)
                await asyncio.sleep(max(0.0, flushed + every - time.monotonic()))
            await storm.more(50)
            for follower in storm.followers:
                stage.expect(follower.loads + follower.resumes == 1, "no socket had to come again")
    stage.figure("heard at another process after it", heard, "s", at_most=5)
    stage.figure("live again", live, "s", at_most=REJOINED + SHOWN)


async def _installation(stage: Stage, layer: str) -> Installation:
    return await asyncio.to_thread(stage.installation, env={"TERTULIA_LAYER": layer})
