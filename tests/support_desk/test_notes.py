"""Notes never reach the visitor, however he asks; nor does anything else of the desk."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from tertulia.testing.client import Client, new_key

from .desk import Desk

SECRET = "he is a difficult one"


async def noted(desk: Desk) -> tuple[Client, Client, str, str]:
    """A visitor, Ana, their room, and the notes in which she has said something."""
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    await visitor.subscribe(room)
    await ana.subscribe(room)
    await ana.subscribe(notes)
    await ana.say(notes, SECRET)
    return visitor, ana, room, notes


def never_told(visitor: Client, notes: str) -> None:
    """Not a frame that the visitor ever got has the text, the address, or anything like it."""
    for frame in visitor.frames:
        told = json.dumps(frame)
        assert SECRET not in told
        assert notes not in told


async def test_colleagues_read_and_write_notes(everywhere: Desk) -> None:
    desk = everywhere
    _, ana, room, notes = await noted(desk)
    bea = await desk.agent("bea")
    got = await bea.subscribe(notes)
    assert [message["text"] for message in got["messages"]] == [SECRET]
    assert got["conversation"]["room"] == room
    said = await bea.say(notes, f"@{ana.name} indeed")
    told = await ana.find(lambda f: f["type"] == "message.created" and f["seq"] == said["seq"])
    assert told["message"]["mentions"] == [ana.id]


@pytest.mark.parametrize("there", [False, True])
async def test_no_command_gives_the_visitor_the_notes(everywhere: Desk, there: bool) -> None:
    desk = everywhere
    visitor, _, room, notes = await noted(desk)
    asking = await desk.visitor(there=there)
    commands = {
        "room.subscribe": {},
        "room.unsubscribe": {},
        "history.list": {},
        "message.send": {"key": new_key(), "text": "what?"},
        "read.mark": {"seq": 1},
        "typing.start": {},
        "typing.stop": {},
    }
    nothing = notes[::-1]
    for command, fields in commands.items():
        for address in (notes, notes.upper()):
            told = await asking.request(command, room=address, **fields)
            other = await asking.request(command, room=nothing, **fields)
            assert told["ok"] is False
            assert {**told, "ref": 0} == {**other, "ref": 0}
            assert told["error"]["code"] == "not_found"
    resumed = {"after": 0, "epoch": asking.welcome["epoch"]}
    assert await asking.refused("room.subscribe", room=notes, **resumed) == "not_found"
    rooms = await asking.cmd("room.list")
    assert [one["room"] for one in rooms["rooms"]] == [room]
    for client in (visitor, asking):
        never_told(client, notes)


async def test_what_happens_in_the_notes_is_not_heard_by_the_visitor(desk: Desk) -> None:
    visitor, ana, room, notes = await noted(desk)
    # What is told once a second has been told.
    await asyncio.sleep(1.2)
    visitor.inbox.clear()
    seq = (await ana.say(notes, f"@{visitor.name} {SECRET}"))["seq"]
    head = await ana.cmd("history.list", room=notes)
    assert head["messages"][-1]["mentions"] == []
    await ana.cmd("reaction.add", room=notes, seq=seq, emoji="👍")
    await ana.cmd("message.edit", room=notes, seq=seq, text=f"{SECRET} too")
    await ana.cmd("read.mark", room=notes, seq=seq)
    await ana.cmd("typing.start", room=notes)
    until = "2099-01-01T00:00:00Z"
    assert await ana.refused("conversation.snooze", room=room, until=until) == "invalid"
    await visitor.silence(lambda f: f["type"] not in ("reply", "heartbeat"), 1.3)
    never_told(visitor, notes)


async def test_a_reply_in_the_conversation_cannot_quote_a_note(desk: Desk) -> None:
    visitor, ana, room, notes = await noted(desk)
    for number in range(4):
        seq = (await ana.say(notes, f"{SECRET} {number}"))["seq"]
    assert seq > (await ana.cmd("history.list", room=room))["head"]
    assert (
        await visitor.refused("message.send", room=room, key=new_key(), text="?", reply_to=seq)
        == "invalid"
    )
    # The guard counts what was said in the conversation alone.
    await visitor.say(room, "and?", seen=2)
    never_told(visitor, notes)


async def test_the_visitors_key_cannot_be_used_to_find_a_note(desk: Desk) -> None:
    visitor, ana, room, notes = await noted(desk)
    key = new_key()
    await ana.say(notes, SECRET, key=key)
    stored = await visitor.say(room, "mine", key=key)
    assert stored["duplicate"] is False


async def test_that_it_was_put_away_or_moved_is_not_told_to_the_visitor(desk: Desk) -> None:
    visitor, ana, room, notes = await noted(desk)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await ana.cmd("conversation.snooze", room=room, until=until)
    told = await ana.expect("conversation.changed", room=notes, change="snoozed")
    assert told["status"] == "snoozed"
    assert (await visitor.cmd("conversation.open", key=new_key(), url=""))["state"][
        "status"
    ] == "open"
    await ana.cmd("conversation.assign", room=room, agent=ana.id)
    changed = await visitor.expect("conversation.changed", change="assigned")
    assert (changed["status"], changed["snoozed_until"]) == ("open", None)
    assert changed["agent"]["id"] == ana.id
    await visitor.say(room, "are you there?")
    reopened = await ana.expect("conversation.changed", change="reopened")
    assert reopened["room"] == notes
    await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
    await visitor.expect("conversation.changed", change="assigned", agent=None)
    fresh = await visitor.cmd("room.subscribe", room=room)
    assert set(fresh["conversation"]) >= {"status", "agent"}
    assert fresh["conversation"]["notes"] is None
    kinds = {e["change"] for e in visitor.events if e["type"] == "conversation.changed"}
    assert kinds <= {"opened", "assigned"}
    never_told(visitor, notes)
