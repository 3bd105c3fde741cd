"""Servers killed without warning, and restarted politely, under load."""

from __future__ import annotations

import asyncio
import os
import random
import signal

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.processes import alive
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tertulia.testing.storm import Storm
from tests.conftest import RELAXED

from .conftest import Make

KILLS = 4


@pytest.mark.parametrize("mode", ["embedded", "scaled"])
async def test_sigkill_at_random_under_load(make: Make, mode: str) -> None:
    installation = make(mode)
    chance = random.Random(20261121)
    async with Storm(installation) as storm:
        for number in range(KILLS):
            await storm.more(30)
            await asyncio.sleep(chance.uniform(0, 0.3))
            victim = installation.servers[number % len(installation.servers)]
            await storm.away(victim.restart)
        await storm.more(30)
        await storm.proved(at_least=KILLS * 30)
        assert sum(follower.resumes for follower in storm.followers) > 0
        assert any(line["op"] == "unknown" for line in storm.history.lines)


async def test_one_of_two_workers_killed_under_load(postgres: Postgres, own_redis: Redis) -> None:
    server = Server(
        database_url=postgres.new_database(), redis_url=own_redis.url, workers=2, env=RELAXED
    ).start()
    try:
        async with Storm(Installation([server])) as storm:
            for _ in range(3):
                await storm.more(50)
                workers = [pid for pid in server.worker_pids() if alive(pid)]
                os.kill(workers[-1], signal.SIGKILL)
                await asyncio.sleep(0.5)
            await storm.more(50)
            await storm.proved(at_least=200)
    finally:
        server.remove()


@pytest.mark.parametrize("mode", ["embedded", "scaled"])
async def test_polite_restarts_under_load(make: Make, mode: str) -> None:
    installation = make(mode)
    async with Storm(installation) as storm:
        for server in installation.servers:
            await storm.more(50)
            await storm.away(lambda server=server: server.restart(kill=False))  # type: ignore[misc]
        await storm.more(50)
        await storm.proved(at_least=100)
