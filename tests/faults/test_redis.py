"""Redis forgets everything, dies, and comes back: nothing acknowledged depends on it."""

from __future__ import annotations

import asyncio

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation, running
from tertulia.testing.proxy import ThreadedProxy
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.conftest import RELAXED

from .playing import passes, plays


@plays("redis-flushed", "redis-killed")
async def test_redis_with_either_layer(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("news-mangled")
async def test_news_lost_delayed_mixed_up_and_doubled(name: str, mode: str) -> None:
    await passes(name, mode)


async def test_what_was_said_while_redis_was_away_is_counted_by_members_elsewhere(
    postgres: Postgres, own_redis: Redis
) -> None:
    """They have not opened the room: nothing but the layer tells their process that it grew, and
    that one finds Redis again later than the process which has to tell."""
    env = {**RELAXED, "TERTULIA_SECRET_KEY": "e" * 64}
    database = postgres.new_database(tables=True)
    with ThreadedProxy(own_redis.port) as way:
        here = Server(database_url=database, redis_url=own_redis.url, env=env)
        there = Server(database_url=database, redis_url=f"redis://127.0.0.1:{way.port}", env=env)
        with running(Installation([here.start(), there.start()])):
            (_, one), (_, other) = here.people(2)
            async with (
                await Client.connect(here.ws, token=one) as writer,
                await Client.connect(there.ws, token=other) as member,
            ):
                room = await writer.create("Away", "private", members=[member.id])
                await member.expect("room.entered", room=room)
                way.down()
                own_redis.kill9()
                said = [await writer.say(room, text) for text in (f"@{member.name}", "two")]
                await asyncio.sleep(1)  # the pace of `room.activity`
                own_redis.start()
                await asyncio.sleep(5)
                way.up()
                head = said[-1]["seq"]
                activity = await member.expect("room.activity", room=room, head=head, seconds=20)
                assert activity["mentioned"] == [member.id]
