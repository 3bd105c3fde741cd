"""The database restarts, is locked by somebody else, or has no room left."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tertulia.testing.client import Client, Refused, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.services import Postgres
from tertulia.testing.smalldisk import NoMounts, SmallDisk
from tertulia.testing.storm import Storm
from tests.conftest import RELAXED

from .conftest import Make


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL that may be restarted."""
    cluster = Postgres().start()
    yield cluster
    cluster.remove()


async def test_postgresql_restarted_under_load(own_postgres: Postgres, make: Make) -> None:
    async with Storm(make("scaled", own_postgres)) as storm:
        for how in (signal.SIGINT, signal.SIGQUIT):
            await storm.more(50)
            await storm.away(lambda how=how: own_postgres.restart(how))  # type: ignore[misc]
        await storm.more(50)
        await storm.proved(at_least=150)


async def test_sqlite_locked_from_outside(make: Make) -> None:
    """Writers are told to retry in time, readers notice nothing, and nothing is lost."""
    installation = make("embedded")
    server = installation.here
    async with Storm(installation) as storm:
        await storm.more(50)
        async with await Client.connect(server.ws, token=storm.owner_token) as owner:
            room = storm.room
            with closing(sqlite3.connect(server.database_file())) as other:
                other.execute("BEGIN EXCLUSIVE")
                key = new_key()
                sending = asyncio.create_task(owner.say(room, "while it is locked", key))
                answers = []
                while not sending.done():
                    asked = time.monotonic()
                    await owner.cmd("ping")
                    await owner.cmd("history.list", room=room, after=0, limit=10)
                    answers.append(time.monotonic() - asked)
                    await asyncio.sleep(0.05)
                with pytest.raises(Refused) as refused:
                    await sending
                assert refused.value.code == "unavailable"
                assert refused.value.error["retry_after"] > 0
                other.rollback()
            assert sorted(answers)[len(answers) // 2] < 0.5
            assert (await owner.say(room, "while it is locked", key))["duplicate"] is False
        await storm.more(50)
        await storm.proved(at_least=100)


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    try:
        disk = SmallDisk(8, RELAXED)
    except NoMounts as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"THE FULL DISK IS NOT TESTED HERE: {error}")
    yield disk.start()
    disk.remove()


async def test_a_full_disk_and_space_again(small_disk: SmallDisk) -> None:
    """No answer without a row, reads go on, and it recovers by itself."""
    server = small_disk.server
    async with Storm(Installation([server]), pause=0.01) as storm:
        await storm.more(50)
        async with await Client.connect(server.ws, token=storm.owner_token) as owner:
            assert small_disk.fill() > 0
            refused = None
            for _ in range(200):
                reply = await owner.request(
                    "message.send", room=storm.room, key=new_key(), text="x" * 9000
                )
                if not reply["ok"]:
                    refused = reply["error"]
                    break
            assert refused, "a full disk took two hundred messages"
            assert refused["code"] == "unavailable"
            assert refused["retry_after"] > 0
            page = await owner.cmd("history.list", room=storm.room, after=0, limit=100)
            assert len(page["messages"]) == 100 or not page["more_after"]
            small_disk.free()
        await storm.more(50)
        await storm.proved(at_least=100)
