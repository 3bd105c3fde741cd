"""Messages by themselves on PostgreSQL: one statement a row, whose plan the server keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import psycopg
import pytest

from tertulia.testing.client import new_key
from tertulia.testing.installation import Installation
from tertulia.testing.services import Postgres, Redis
from tests.conftest import RELAXED
from tests.support.people import Person

from .test_batches import ODD


@pytest.fixture(scope="module")
def installation(postgres: Postgres, redis: Redis) -> Iterator[Installation]:
    """One of our own, whose tables may be changed."""
    made = Installation.scaled(postgres, redis, RELAXED)
    yield made
    made.remove()


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


async def test_texts_are_kept_as_they_were_written(ana: Person) -> None:
    client = await ana.connect()
    room = await client.create("One by one")
    for text in ODD:
        await client.say(room, text)
    page = await client.cmd("history.list", room=room, limit=100)
    assert [message["text"] for message in page["messages"]] == ODD


async def test_a_key_that_was_sent_before_is_answered_to_the_microsecond(
    installation: Installation, ana: Person
) -> None:
    here, there = await ana.connect(), await ana.connect(installation.there.ws)
    room = await here.create("Again")
    for _ in range(10):
        key = new_key()
        first = await here.cmd("message.send", room=room, key=key, text="hola")
        for again in (here, there):
            answer = await again.cmd("message.send", room=room, key=key, text="hola")
            assert answer == {**first, "duplicate": True}


async def test_a_plan_that_is_of_no_use_any_more_costs_no_message(
    installation: Installation, ana: Person
) -> None:
    """A changed table makes PostgreSQL refuse what was prepared before, as a pooler does that
    gives the next transaction to another session."""
    here, there = await ana.connect(), await ana.connect(installation.there.ws)
    room = await here.create("Changing")
    clients, seqs = (here, there), []
    for change in ("TYPE text", "TYPE varchar(200)"):
        for number in range(8):
            seqs += [(await each.say(room, f"message {number}"))["seq"] for each in clients]
        with psycopg.connect(installation.here.env["DATABASE_URL"]) as database:
            database.execute(f"ALTER TABLE tertulia_chat_room ALTER COLUMN name {change}")  # type: ignore[arg-type]
    seqs += [(await each.say(room, "afterwards"))["seq"] for each in clients]
    assert seqs == list(range(seqs[0], seqs[0] + 34))
