"""Assigning, moving, putting away, settling, opening again, rating; and the lists of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.testing.client import Client

from .desk import Desk


def ahead(**how: float) -> str:
    return (datetime.now(UTC) + timedelta(**how)).isoformat()


async def listed(agent: Client, name: str, **fields: Any) -> list[str]:
    found = await agent.cmd("conversation.list", filter=name, **fields)
    return [one["room"] for one in found["conversations"]]


async def test_each_change_is_an_event_and_its_repetition_none(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    bea = await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    await visitor.subscribe(room)
    steps: list[tuple[str, dict[str, Any]]] = [
        ("assign", {"agent": bea.id}),
        ("assign", {"agent": ana.id}),
        ("assign", {"agent": None}),
        ("resolve", {}),
        ("reopen", {}),
    ]
    for name, fields in steps:
        done = await ana.cmd(f"conversation.{name}", room=room, **fields)
        again = await bea.cmd(f"conversation.{name}", room=room, **fields)
        assert done["event"] == again["event"], name
        changed = await visitor.expect("conversation.changed", seq=done["event"])
        assert changed["actor"]["id"] == ana.id
        assert (changed["agent"] or {}).get("id") == fields.get("agent")
    until = ahead(hours=2)
    done = await ana.cmd("conversation.snooze", room=room, until=until)
    again = await bea.cmd("conversation.snooze", room=room, until=until)
    assert done == again
    rated = await visitor.cmd("conversation.rate", room=room, rating=4, text="quick")
    assert rated == await visitor.cmd("conversation.rate", room=room, rating=4, text="quick")
    assert rated != await visitor.cmd("conversation.rate", room=room, rating=5, text="quick")
    state = await desk.state(ana, room)
    assert (state["rating"], state["rating_text"], state["status"]) == (5, "quick", "snoozed")


async def test_the_events_are_the_same_when_they_are_read_again(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    await ana.subscribe(room)
    await ana.subscribe(notes)
    await ana.cmd("conversation.assign", room=room, agent=ana.id)
    await ana.cmd("conversation.snooze", room=room, until=ahead(hours=1))
    await ana.cmd("conversation.reopen", room=room)
    await ana.cmd("conversation.resolve", room=room)
    await visitor.cmd("conversation.rate", room=room, rating=1)
    await ana.find(lambda f: f.get("change") == "rated")
    for address in (room, notes):
        told = [event for event in ana.events if event["room"] == address]
        after = told[0]["seq"] - 1
        epoch = ana.welcome["epoch"]
        read = await ana.cmd("room.subscribe", room=address, after=after, epoch=epoch)
        assert read["events"] == told


async def test_lists_have_what_they_say_and_page_by_page(desk: Desk) -> None:
    visitors = [await desk.visitor(number) for number in range(3)]
    ana, bea = await desk.agent(), await desk.agent("bea")
    first, second, third = [await desk.conversation(v, "hello") for v in visitors]
    assert await listed(ana, "unassigned", inbox=desk.inbox) == [third, second, first]
    await visitors[0].say(first, "hello?")
    assert await listed(ana, "all") == [first, third, second]
    assert await listed(ana, "waiting") == [first, second, third]
    await ana.say(second, "yes?")
    assert await listed(ana, "waiting") == [first, third]
    await ana.cmd("conversation.assign", room=second, agent=ana.id)
    await ana.cmd("conversation.assign", room=third, agent=bea.id)
    assert await listed(ana, "mine") == [second]
    assert await listed(bea, "mine") == [third]
    assert await listed(ana, "unassigned") == [first]
    pages, cursor = [], None
    while True:
        page = await ana.cmd("conversation.list", filter="all", limit=1, cursor=cursor)
        pages += [one["room"] for one in page["conversations"]]
        cursor = page["more"]
        if cursor is None:
            break
    assert pages == [second, first, third]
    shop = await inbox_of(ana, desk.inbox)
    assert shop["counts"] == {"unassigned": 1, "mine": 1, "all": 3, "waiting": 2}
    assert {agent["id"]: agent["open"] for agent in shop["agents"]} == {ana.id: 1, bea.id: 1}
    await ana.cmd("conversation.resolve", room=first)
    await ana.cmd("conversation.snooze", room=third, until=ahead(hours=1))
    assert await listed(ana, "resolved") == [first]
    assert await listed(ana, "snoozed") == [third]
    assert await listed(ana, "all") == [second]
    assert await ana.refused("conversation.list", filter="all", cursor="x") == "invalid"


async def inbox_of(agent: Client, public_id: str) -> dict[str, Any]:
    found = await agent.cmd("inbox.list")
    return next(one for one in found["inboxes"] if one["id"] == public_id)


async def test_a_state_shows_the_last_message_shortened(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor)
    assert (await desk.state(ana, room))["last"] is None
    said = await visitor.say(room, "🦉" * 300)
    last = (await desk.state(ana, room))["last"]
    assert last["text"] == "🦉" * 200
    assert (last["seq"], last["author"]["id"]) == (said["seq"], visitor.id)


async def test_who_waits_and_since_when(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor)
    assert (await desk.state(ana, room))["waiting_since"] is None
    said = await visitor.say(room, "hello")
    await visitor.say(room, "hello?")
    assert (await desk.state(ana, room))["waiting_since"] == said["sent_at"]
    await ana.say((await desk.state(ana, room))["notes"], "I'll answer")
    assert (await desk.state(ana, room))["waiting_since"] == said["sent_at"]
    await ana.say(room, "yes?")
    assert (await desk.state(ana, room))["waiting_since"] is None


async def test_a_visitor_who_writes_opens_what_was_settled(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    await visitor.subscribe(room)
    await ana.cmd("conversation.resolve", room=room)
    assert (await desk.state(ana, room))["resolved_at"] is not None
    said = await visitor.say(room, "but still")
    reopened = await visitor.expect("conversation.changed", change="reopened")
    assert reopened["seq"] == said["seq"] + 1
    state = await desk.state(ana, room)
    assert (state["status"], state["resolved_at"]) == ("open", None)
    assert await ana.cmd("conversation.reopen", room=room) == {"event": reopened["seq"]}


async def test_what_was_put_away_wakes_by_itself(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    await ana.subscribe(notes)
    await ana.cmd("conversation.snooze", room=room, until=ahead(seconds=1.2))
    assert await listed(ana, "all") == []
    woken = await ana.find(lambda f: f.get("change") == "reopened")
    assert (woken["room"], woken["actor"]["id"]) == (notes, ana.id)
    assert await listed(ana, "all") == [room]
    changes = [e["change"] for e in ana.events if e["room"] == notes]
    assert changes == ["snoozed", "reopened"]


async def test_nobody_is_told_to_wake_yesterday(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    for until in (ahead(seconds=-5), ahead(days=400), "tomorrow", "2030-01-01T00:00:00", 5):
        assert await ana.refused("conversation.snooze", room=room, until=until) == "invalid"
    await ana.cmd("conversation.resolve", room=room)
    until = ahead(hours=1)
    assert await ana.refused("conversation.snooze", room=room, until=until) == "conflict"


async def test_agents_are_told_of_every_conversation_and_nobody_else_is(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    stranger, foreign = await desk.agent("stranger"), await desk.agent("foreign")
    room = await desk.conversation(visitor)
    told = await ana.expect("conversation.activity", room=room)
    assert told["inbox"] == desk.inbox
    said = await visitor.say(room, "hello")
    await ana.expect("conversation.activity", room=room, head=said["seq"])
    notes = (await desk.state(ana, room))["notes"]
    await ana.say(notes, "mine")
    # Told of the conversation, not of its notes.
    await ana.expect("conversation.activity", room=room)
    await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
    await foreign.expect("conversation.activity", room=room, inbox=desk.other)
    await ana.expect("conversation.activity", room=room, inbox=desk.inbox)
    for client in (visitor, stranger):
        assert not [f for f in client.frames if f["type"] == "conversation.activity"]
    assert not [f for f in ana.frames if f.get("room") == notes and "activity" in f["type"]]


async def test_news_of_one_conversation_come_once_a_second(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor)
    for number in range(30):
        last = await visitor.say(room, str(number))
    await ana.expect("conversation.activity", room=room, head=last["seq"])
    assert len([f for f in ana.frames if f["type"] == "conversation.activity"]) <= 4


async def test_canned_replies_are_those_of_the_inbox(desk: Desk) -> None:
    ana, foreign = await desk.agent(), await desk.agent("foreign")
    found = await ana.cmd("reply.list", inbox=desk.inbox)
    assert found == {"replies": [{"shortcut": "hi", "text": "Hello {name}"}]}
    assert await foreign.refused("reply.list", inbox=desk.inbox) == "not_found"
    assert await foreign.refused("conversation.list", filter="all", inbox=desk.inbox) == "not_found"
    assert await foreign.refused("agent.available", inbox=desk.inbox, available=True) == "not_found"


async def test_a_conversation_moves_with_its_access(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    foreign = await desk.agent("foreign")
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    await ana.subscribe(room)
    await ana.subscribe(notes)
    await ana.cmd("conversation.assign", room=room, agent=ana.id)
    assert await foreign.refused("room.subscribe", room=room) == "not_found"
    await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
    for address in (room, notes):
        await ana.expect("room.left", room=address)
        assert await ana.refused("history.list", room=address) == "not_found"
    assert await ana.refused("message.send", room=room, key="7" * 32, text="x") == "not_found"
    await foreign.subscribe(room)
    state = await desk.state(foreign, room)
    assert (state["agent"], state["inbox"]) == (None, desk.other)
    await foreign.say(room, "my turn")
    assert ana.views[room].seq < (await foreign.cmd("history.list", room=room))["head"]
    nobody = "0" * 32
    assert await foreign.refused("conversation.transfer", room=room, inbox=nobody) == "invalid"
    assert await foreign.refused("conversation.assign", room=room, agent=ana.id) == "invalid"
