"""Batches that fail as a whole: each goes alone then, in the same order, and is told once.

The writer runs in a process of its own, beside the servers, with actions that fail once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.people import Person

WRITING = """
import asyncio, json, threading, uuid
from django.contrib.auth import get_user_model
from django.db import DataError
from tertulia.chat import writer
from tertulia.chat.actions.base import Action
from tertulia.chat.actions.messages import SendMessage
from tertulia.chat.people import participant_of, speaker_of
from tertulia.protocol.errors import ProtocolError

def speaker(name):
    return speaker_of(participant_of(get_user_model().objects.get(username=name)))

class FailsOnce(Action):
    "The first time it fails in this stage; that is the whole batch's failure."
    def __init__(self, speaker, stage):
        super().__init__(speaker)
        self.stage = stage
    def fail(self, stage):
        if stage == self.stage:
            self.stage = None
            raise DataError("played")
    def prepare(self):
        self.fail("prepare")
    def run(self, log):
        self.fail("run")

class Does(Action):
    "Something that happens between two others, once they go alone."
    def __init__(self, speaker, do):
        super().__init__(speaker)
        self.do = do
    def run(self, log):
        self.do()

def send(speaker, room, text):
    return SendMessage(speaker, room, text, uuid.uuid4())

def code(outcome):
    return outcome.code.value if isinstance(outcome, ProtocolError) else outcome

def write(actions, then=lambda: None):
    "One batch; what each was told, when all were told and the writer has ended."
    told, everybody = [[] for _ in actions], threading.Event()
    def committed(outcomes, news):
        for done, outcome in outcomes:
            done(code(outcome))
        if all(told):
            everybody.set()
    writing = writer.Writer(committed)
    async def submit():
        for action, outcomes in zip(actions, told):
            writing.submit(action, outcomes.append)
        writing.start()
    asyncio.run(submit())
    then()
    assert everybody.wait(20), told
    writing.stop()
    return told
"""

# The only lane waits for one room. The other room's first message comes to a lane too, which
# has to wait for its turn: the room is free again before.
HELD = """
import os, time, psycopg
writer.LANES = 1
address = os.environ["DATABASE_URL"]
lock = "SELECT 1 FROM tertulia_chat_room WHERE slug = %s FOR UPDATE"
waiting = (
    "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
with (
    psycopg.connect(address) as other,
    psycopg.connect(address) as held,
    psycopg.connect(address, autocommit=True) as watch,
):
    other.execute(lock, [OTHER])
    held.execute(lock, [ROOM])
    def lane_waits():
        until = time.monotonic() + 10
        while watch.execute(waiting).fetchone() is None:
            assert time.monotonic() < until
            time.sleep(0.01)
    reached = threading.Event()
    def go_on():
        assert reached.wait(20)
        other.rollback()
    me = speaker(NAME)
    actions = [
        FailsOnce(me, STAGE),
        send(me, OTHER, "held longer"),
        Does(me, lane_waits),
        send(me, ROOM, "first"),
        Does(me, held.rollback),
        send(me, ROOM, "second"),
        Does(me, reached.set),
    ]
    print(json.dumps(write(actions, go_on)))
"""

UNPREPARED = """
class CannotPrepare(Action):
    done = False
    def prepare(self):
        raise ValueError("played")
    def run(self, log):
        CannotPrepare.done = True

me = speaker(NAME)
told = write([CannotPrepare(me), FailsOnce(me, "prepare"), send(me, ROOM, "after")])
print(json.dumps([*told, [CannotPrepare.done]]))
"""


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


async def told(server: Server, code: str, **values: str) -> list[list[Any]]:
    """What each action of the batch was told, by the script that ends by printing it."""
    given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    printed = await asyncio.to_thread(server.shell, given + WRITING + code)
    return json.loads(printed.splitlines()[-1])  # type: ignore[no-any-return]


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
@pytest.mark.parametrize("stage", ["prepare", "run"])
async def test_sends_that_go_alone_stay_in_order_when_their_room_is_held(
    installation: Installation, ana: Person, stage: str
) -> None:
    client = await ana.connect()
    room, other = await client.create("Held"), await client.create("Held longer")
    outcomes = await told(
        installation.here, HELD, NAME=ana.name, ROOM=room, OTHER=other, STAGE=stage
    )
    _, elsewhere, waited, first, released, second, reached = outcomes
    assert [waited, released, reached] == [[None]] * 3
    assert [each["seq"] for each in (*elsewhere, *first, *second)] == [2, 2, 3]
    messages = (await client.cmd("history.list", room=room))["messages"]
    assert [message["text"] for message in messages] == ["first", "second"]


@pytest.mark.parametrize("installation", ["embedded"], indirect=True)
async def test_what_cannot_be_prepared_is_told_once_though_its_batch_fails_after_it(
    installation: Installation, ana: Person
) -> None:
    room = await (await ana.connect()).create("Told once")
    first, failed, sent, done = await told(installation.here, UNPREPARED, NAME=ana.name, ROOM=room)
    assert (first, failed, done) == (["internal"], [None], [False])
    assert [each["seq"] for each in sent] == [2]
