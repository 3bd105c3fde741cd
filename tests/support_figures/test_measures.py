"""What is measured of a conversation while two people have it."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.conftest import RELAXED
from tests.support_desk.desk import Desk

from .numbers import about, measured, passes, took

# The measures of all conversations, from their logs alone; what was there is there again after it.
REFILL = """
import importlib, json, types
from django.apps import apps
from django.db import connection, transaction
fill = importlib.import_module("tertulia.support.migrations.0004_figures").fill
def told():
    found = Measure.objects.filter(conversation__room__slug__in={rooms!r})
    fields = ("kind", "inbox_id", "agent_id", "seconds", "within", "value")
    return sorted(
        ([one.conversation_id, one.at.isoformat(), *(getattr(one, name) for name in fields)]
         for one in found), key=json.dumps)
with transaction.atomic():
    written = told()
    Measure.objects.all().delete()
    fill(apps, types.SimpleNamespace(connection=connection))
    filled = told()
    transaction.set_rollback(True)
print(json.dumps([written, filled]))
"""


async def test_each_answer_and_each_resolving_is_measured_once(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(), await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    passes(desk, room, minutes=10)
    await visitor.say(room, "hello?")
    passes(desk, room, minutes=5)
    await ana.say(notes, "I look at it")
    await ana.say(room, "yes?")
    await ana.say(room, "I am here")
    await visitor.say(room, "and?")
    passes(desk, room, minutes=2)
    await bea.say(room, "done")
    passes(desk, room, minutes=1)
    await ana.cmd("conversation.resolve", room=room)
    await ana.cmd("conversation.resolve", room=room)

    found = measured(desk, room)
    kinds = ["opened", "first_answer", "answer", "answer", "resolution"]
    assert [one.kind for one in found] == kinds
    assert {one.inbox for one in found} == {desk.inbox}
    assert [one.agent for one in found] == [None, ana.id, ana.id, bea.id, ana.id]
    first, answered, again, resolved = (one.seconds for one in found[1:])
    assert first == answered
    assert about(first, 15 * 60)
    assert about(again, 2 * 60)
    assert about(resolved, 18 * 60)
    # Without hours an inbox is always open.
    assert [one.within for one in found] == [one.seconds for one in found]


async def test_a_resolution_after_a_reopening_counts_from_there(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    passes(desk, room, minutes=10)
    await ana.cmd("conversation.resolve", room=room)
    passes(desk, room, hours=5)
    await visitor.say(room, "but still")
    passes(desk, room, minutes=3)
    await ana.cmd("conversation.resolve", room=room)
    found = measured(desk, room)
    assert [one.kind for one in found] == ["opened", "resolution", "reopened", "resolution"]
    first, second = took(found, "resolution")
    assert about(first, 10 * 60)
    assert about(second, 3 * 60)
    # Nobody has answered, and the first answer is from the very first message on.
    await visitor.say(room, "hello?")
    await ana.say(room, "yes")
    (first,) = took(measured(desk, room), "first_answer")
    assert about(first, 5 * 3_600 + 13 * 60)
    (waited,) = took(measured(desk, room), "answer")
    assert about(waited, 0)


async def test_who_is_greeted_has_not_been_answered(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor)
    await ana.say(room, "Can I help?")
    assert [one.kind for one in measured(desk, room)] == ["opened"]
    await visitor.say(room, "yes")
    passes(desk, room, minutes=4)
    await ana.say(room, "How?")
    (first,) = took(measured(desk, room), "first_answer")
    assert about(first, 4 * 60)


async def test_who_is_resolved_unanswered_and_written_to_has_got_no_answer(
    everywhere: Desk,
) -> None:
    """He waits for none; and a first answer is one of the answers."""
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    passes(desk, room, minutes=10)
    await ana.cmd("conversation.resolve", room=room)
    await ana.say(room, "That was sent twice.")
    assert [one.kind for one in measured(desk, room)] == ["opened", "resolution"]
    # Opened again by an agent, he waits no more than before.
    await ana.cmd("conversation.reopen", room=room)
    await ana.say(room, "Or was it not?")
    assert [one.kind for one in measured(desk, room)] == ["opened", "resolution", "reopened"]
    # The first message of an agent after his is past: what he is told now is no first answer.
    await visitor.say(room, "It was not")
    passes(desk, room, minutes=3)
    await ana.say(room, "Then I look again")
    *_, last = measured(desk, room)
    assert [one.kind for one in measured(desk, room)][3:] == ["answer"]
    assert about(last.seconds, 3 * 60)


async def test_only_the_last_rating_counts_and_it_is_somebodys(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(), await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    await ana.say(room, "hello")
    await visitor.cmd("conversation.rate", room=room, rating=2, text="")
    rated = [one for one in measured(desk, room) if one.kind == "rating"]
    # Nobody has it: it is of who answered.
    assert [(one.value, one.agent) for one in rated] == [(2, ana.id)]
    await ana.cmd("conversation.assign", room=room, agent=bea.id)
    await visitor.cmd("conversation.rate", room=room, rating=5, text="after all")
    await visitor.cmd("conversation.rate", room=room, rating=5, text="after all")
    rated = [one for one in measured(desk, room) if one.kind == "rating"]
    assert [(one.value, one.agent) for one in rated] == [(5, bea.id)]


async def test_what_is_moved_is_measured_where_it_was(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, foreign = await desk.visitor(), await desk.agent(), await desk.agent("foreign")
    room = await desk.conversation(visitor, "hello")
    await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
    await foreign.say(room, "hello")
    found = [(one.kind, one.inbox) for one in measured(desk, room)]
    assert found == [
        ("opened", desk.inbox),
        ("first_answer", desk.other),
        ("answer", desk.other),
    ]


async def test_time_outside_the_hours_is_told_apart(everywhere: Desk) -> None:
    desk = everywhere
    # Nobody is ever there.
    desk.shell('Inbox.objects.filter(pk=inbox.pk).update(hours={"time_zone": "UTC"})')
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    passes(desk, room, minutes=30)
    await ana.say(room, "hello")
    answer = next(one for one in measured(desk, room) if one.kind == "answer")
    assert about(answer.seconds, 30 * 60)
    assert answer.within == 0


async def test_rooms_of_the_chat_are_not_measured(desk: Desk) -> None:
    ana, bea = await desk.agent(), await desk.agent("bea")
    room = await ana.create("A room", "private", members=[bea.id])
    await ana.say(room, "hello")
    await bea.say(room, "hello")
    told = desk.shell(f"print(Measure.objects.filter(agent__public_id={bea.id!r}).count())")
    assert told.strip().splitlines()[-1] == "0"


async def lives(desk: Desk) -> list[str]:
    """Two conversations with all that is measured."""
    ana, bea = await desk.agent(), await desk.agent("bea")
    foreign = await desk.agent("foreign")
    rooms = []
    for number in range(2):
        visitor = await desk.visitor(number)
        room = await desk.conversation(visitor, "hello", "anybody?")
        rooms.append(room)
        passes(desk, room, minutes=7 + number)
        await _lives(desk, room, visitor, ana, bea)
        if number:
            await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
            passes(desk, room, seconds=90)
            await visitor.say(room, "where?")
            await foreign.say(room, "here")
    return rooms


async def _lives(desk: Desk, room: str, visitor: Client, ana: Client, bea: Client) -> None:
    await ana.say(room, "yes")
    await visitor.cmd("conversation.rate", room=room, rating=3, text="")
    await visitor.say(room, "well")
    await ana.cmd("conversation.resolve", room=room)
    passes(desk, room, minutes=11)
    await visitor.say(room, "not yet")
    await ana.cmd("conversation.assign", room=room, agent=bea.id)
    await bea.say(room, "now")
    await bea.cmd("conversation.resolve", room=room)
    await visitor.cmd("conversation.rate", room=room, rating=4, text="")


async def test_the_logs_tell_the_same_of_what_is_past(everywhere: Desk) -> None:
    """What a migration fills in is what was written while it happened."""
    desk = everywhere
    rooms = await lives(desk)
    told = desk.shell(REFILL.format(rooms=rooms))
    written, filled = json.loads(told.strip().splitlines()[-1])
    assert len(written) == 2 * 8 + 2
    assert filled == written


async def test_an_older_database_gets_its_measures_when_it_is_migrated() -> None:
    """By the real command; before, there was no such table."""
    server = Server(env=RELAXED).start()
    try:
        async with AsyncExitStack() as stack:
            desk = Desk.of(Installation([server]), stack)
            visitor, ana = await desk.visitor(), await desk.agent()
            room = await desk.conversation(visitor, "hello")
            await ana.say(room, "hello")
            await ana.cmd("conversation.resolve", room=room)
        before = measured(desk, room)
        server.terminate()
        for target in (["tertulia_support", "0003"], []):
            done = server.cli("manage", "migrate", *target)
            assert done.returncode == 0, done.stderr
        assert measured(desk, room) == before
        kinds = ["opened", "first_answer", "answer", "resolution"]
        assert [one.kind for one in before] == kinds
    finally:
        server.remove()
