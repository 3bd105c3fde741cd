"""Redis forgets everything, dies, and comes back: nothing acknowledged depends on it."""

from __future__ import annotations

import asyncio

from tertulia.testing.client import Client
from tertulia.testing.services import Redis

from .conftest import Make
from .playing import passes, plays


@plays("redis-flushed", "redis-killed")
async def test_redis_with_either_layer(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("news-mangled")
async def test_news_lost_delayed_mixed_up_and_doubled(name: str, mode: str) -> None:
    await passes(name, mode)


async def test_what_was_said_while_redis_was_away_is_counted_by_members_elsewhere(
    make: Make, own_redis: Redis
) -> None:
    """They have not opened the room: nothing but the layer tells their process that it grew."""
    installation = make("scaled")
    (_, one), (_, other) = installation.here.people(2)
    writer = await Client.connect(installation.here.ws, token=one)
    member = await Client.connect(installation.there.ws, token=other)
    room = await writer.create("Away", "private", members=[member.id])
    await member.expect("room.entered", room=room)
    own_redis.kill9()
    said = [await writer.say(room, text) for text in (f"@{member.name}", "two", "three")]
    await asyncio.sleep(2)  # the pace of `room.activity`, and all that waits has been tried
    own_redis.start()
    activity = await member.expect("room.activity", room=room, head=said[-1]["seq"], seconds=15)
    assert activity["mentioned"] == [member.id]
    await writer.close()
    await member.close()
