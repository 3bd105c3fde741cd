"""Redis forgets everything, dies, and comes back: nothing acknowledged depends on it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tertulia.testing.client import Client
from tertulia.testing.services import Redis
from tertulia.testing.storm import Storm

from .conftest import Make

LAYERS = pytest.mark.parametrize("mode", ["scaled", "scaled-core"])


@LAYERS
async def test_flushall_under_load(make: Make, own_redis: Redis, mode: str) -> None:
    async with Storm(make(mode)) as storm:
        for _ in range(3):
            await storm.more(50)
            await storm.away(own_redis.flush)
        await storm.more(50)
        await storm.proved(at_least=200)


@LAYERS
async def test_redis_killed_and_back_under_load(make: Make, own_redis: Redis, mode: str) -> None:
    async with Storm(make(mode)) as storm:
        for pause in (0.0, 2.0):
            await storm.more(60)
            await storm.away(own_redis.kill9)
            await asyncio.sleep(pause)
            # Sends are acknowledged while Redis is away.
            await storm.more(60)
            await storm.away(own_redis.start)
        await storm.more(60)
        await storm.proved(at_least=300)


@LAYERS
async def test_nobody_goes_deaf_after_flushall(make: Make, own_redis: Redis, mode: str) -> None:
    """One who only listens, at the other process, still hears, live, after Redis forgot all."""
    installation = make(mode)
    (_, one), (_, two) = installation.here.people(2)
    async with (
        await Client.connect(installation.here.ws, token=one) as here,
        await Client.connect(installation.there.ws, token=two) as there,
    ):
        room = await here.create("Deaf", "private", members=[there.id])
        await there.subscribe(room)
        for _ in range(3):
            own_redis.flush()
            sent = await here.say(room, "do you hear me?")
            await there.reached(room, sent["seq"], seconds=5)


@LAYERS
async def test_news_are_live_again_soon_after_redis_is_back(
    make: Make, own_redis: Redis, mode: str
) -> None:
    installation = make(mode)
    (_, one), (_, two) = installation.here.people(2)
    async with (
        await Client.connect(installation.here.ws, token=one) as here,
        await Client.connect(installation.there.ws, token=two) as there,
    ):
        room = await here.create("Back", "private", members=[there.id])
        await there.subscribe(room)
        own_redis.kill9()
        sent = await here.say(room, "without Redis")
        # The sweep finds it in the log.
        await there.reached(room, sent["seq"], seconds=5)
        own_redis.start()
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            began = time.monotonic()
            sent = await here.say(room, "live?")
            await there.reached(room, sent["seq"], seconds=5)
            if time.monotonic() - began < 0.2:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("15 s after Redis came back news still come by the sweep only")
