"""A visitor writes, an agent answers: over real sockets, in one process and across two."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tertulia.testing.client import Client, Refused, new_key

from .desk import Desk


async def test_a_visitor_and_an_agent_talk_and_both_resume(everywhere: Desk) -> None:
    desk = everywhere
    visitor = await desk.visitor()
    ana = await desk.agent(there=True)
    room = await desk.conversation(visitor)
    await visitor.subscribe(room)
    first = await ana.subscribe(room)
    assert first["state"]["role"] == "moderator"
    assert first["conversation"]["client"]["id"] == visitor.id
    await visitor.say(room, "Is it blue?")
    await ana.find(lambda f: f["type"] == "message.created" and f["room"] == room)
    answer = await ana.say(room, "It is.")
    await visitor.reached(room, answer["seq"])
    before_ana, before_visitor = ana.views[room], visitor.views[room]
    await ana.vanish()
    await visitor.vanish()
    again = await desk.visitor(there=True)
    assert again.id == visitor.id
    result = await again.resume(room, before_visitor)
    assert result["events"] == []
    last = await again.say(room, "Thank you")
    ana = await desk.agent()
    await ana.resume(room, before_ana)
    await ana.reached(room, last["seq"])
    assert [m["text"] for m in (await ana.cmd("history.list", room=room))["messages"]] == [
        *("Is it blue?", "It is.", "Thank you")
    ]


async def test_a_visitor_has_one_conversation_however_often_he_opens_it(desk: Desk) -> None:
    visitor, other_tab = await desk.visitor(), await desk.visitor()
    opened = await asyncio.gather(
        *(
            client.cmd("conversation.open", key=new_key(), url="https://shop.example/")
            for client in (visitor, other_tab, visitor, other_tab)
        )
    )
    assert len({one["room"] for one in opened}) == 1
    state = opened[0]["state"]
    assert state["status"] == "open"
    assert state["notes"] is None
    assert state["url"] == "https://shop.example/"
    assert state["inbox"] == desk.inbox


async def test_a_new_conversation_is_made_when_the_newest_is_resolved(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    assert await desk.conversation(visitor, new=True) == room
    await ana.cmd("conversation.resolve", room=room)
    assert await desk.conversation(visitor) == room
    key = new_key()
    second = await visitor.cmd("conversation.open", key=key, url="", new=True)
    assert second["room"] != room
    await ana.cmd("conversation.resolve", room=second["room"])
    again = await visitor.cmd("conversation.open", key=key, url="", new=True)
    assert again["room"] == second["room"]
    rooms = (await visitor.cmd("room.list"))["rooms"]
    assert [one["room"] for one in rooms] == [room, second["room"]]
    got = await ana.cmd("conversation.get", room=second["room"])
    assert [one["room"] for one in got["past"]] == [room]
    assert got["visitor"]["id"] == visitor.id


async def test_an_address_that_a_browser_would_run_is_no_page(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    opened = await visitor.cmd("conversation.open", key=new_key(), url="javascript:alert(1)")
    assert (await desk.state(ana, opened["room"]))["url"] == ""


async def test_the_reply_has_a_token_for_next_time(desk: Desk) -> None:
    visitor = await desk.visitor()
    token = visitor.welcome["visitor_token"]
    assert visitor.welcome["me"]["kind"] == "visitor"
    again = await Client.connect(desk.installation.here.ws, auth=token)
    async with again:
        assert again.id == visitor.id
    connect = await Client.connect(desk.installation.here.ws, auth=None, welcome=False)
    async with connect:
        await connect.send({"type": "auth", "token": token, "connect": ""})
        welcome = await connect.expect("welcome")
        await connect.send({"type": "auth", "token": token, "connect": welcome["connect"]})
        assert (await connect.expect("welcome"))["me"]["id"] == visitor.id


@pytest.mark.parametrize("mangled", [lambda t: t[:-2] + "xx", lambda t: "x" + t, lambda t: t + ":"])
async def test_a_token_that_was_changed_is_nobodys(desk: Desk, mangled: Any) -> None:
    client = await Client.connect(desk.installation.here.ws, welcome=False)
    await client.send({"type": "auth", "token": mangled(desk.tokens[0])})
    assert (await client.closing()).code == 4401


async def test_read_marks_are_seen_by_the_other(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor)
    said = await visitor.say(room, "hello")
    await visitor.subscribe(room)
    await ana.subscribe(room)
    await ana.cmd("read.mark", room=room, seq=said["seq"])
    seen = await visitor.expect("read.changed", room=room)
    # Which of the agents has looked is not told to him.
    assert (seen["read"], seen["who"]["id"], seen["who"]["name"]) == (
        *(said["seq"], desk.inbox),
        "Shop",
    )
    assert (await desk.state(ana, room))["read_seq"] == said["seq"]
    answer = await ana.say(room, "hi")
    await visitor.cmd("read.mark", room=room, seq=answer["seq"])
    seen = await ana.find(lambda f: f["type"] == "read.changed" and f["who"]["id"] == visitor.id)
    assert seen["read"] == answer["seq"]
    assert (await desk.state(ana, room))["client_read"] == answer["seq"]
    beyond = (await desk.state(ana, room))["head"] + 1
    assert await ana.refused("read.mark", room=room, seq=beyond) == "invalid"


async def test_who_answers_first_has_taken_it(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(there=True), await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    await bea.say(notes, "A note takes nothing")
    assert (await desk.state(ana, room))["agent"] is None
    await visitor.subscribe(room)
    answer = await ana.say(room, "hi")
    taken = await visitor.expect("conversation.changed", room=room)
    assert (taken["seq"], taken["change"]) == (answer["seq"] + 1, "assigned")
    assert taken["agent"]["id"] == taken["actor"]["id"] == ana.id
    await bea.say(room, "hi from me, too")
    assert (await desk.state(bea, room))["agent"]["id"] == ana.id
    # Put away it is still to be answered.
    await ana.cmd("conversation.assign", room=room, agent=None)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await ana.cmd("conversation.snooze", room=room, until=until)
    await bea.say(room, "One more thing")
    assert (await desk.state(bea, room))["agent"]["id"] == bea.id
    # What is settled already is nobody's to do.
    await ana.cmd("conversation.assign", room=room, agent=None)
    await ana.cmd("conversation.resolve", room=room)
    await bea.say(room, "Goodbye")
    assert (await desk.state(bea, room))["agent"] is None


async def test_the_visitor_is_told_that_it_has_come_to_somebody(everywhere: Desk) -> None:
    desk = everywhere
    visitor = await desk.visitor()
    ana, bea = await desk.agent(there=True), await desk.agent("bea")
    room = await desk.conversation(visitor)
    first = await visitor.say(room, "hello")
    last = await visitor.say(room, "are you there?")
    assert (await desk.state(ana, room))["delivered_seq"] == 0
    await ana.cmd("conversation.received", room=room, seq=first["seq"])
    told = await visitor.expect("conversation.delivered", room=room)
    assert told == {"type": "conversation.delivered", "room": room, "seq": first["seq"]}
    # Once, by whomever, and never less.
    for agent in (bea, ana):
        await agent.cmd("conversation.received", room=room, seq=first["seq"])
    await bea.cmd("conversation.received", room=room, seq=last["seq"])
    await ana.cmd("conversation.received", room=room, seq=first["seq"])
    assert (await visitor.expect("conversation.delivered", room=room))["seq"] == last["seq"]
    state = await desk.state(ana, room)
    assert (state["delivered_seq"], state["read_seq"]) == (last["seq"], 0)
    # Who comes back is told with the state.
    again = await desk.visitor(there=True)
    opened = await again.cmd("conversation.open", key=new_key())
    assert opened["state"]["delivered_seq"] == last["seq"]
    assert await ana.refused("conversation.received", room=room, seq=state["head"] + 1) == "invalid"
    await again.silence(lambda frame: frame["type"] == "conversation.delivered")


async def test_what_an_agent_has_read_has_come_to_him(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor)
    said = await visitor.say(room, "hello")
    await ana.cmd("read.mark", room=room, seq=said["seq"])
    assert (await desk.state(ana, room))["delivered_seq"] == said["seq"]
    await ana.cmd("conversation.received", room=room, seq=said["seq"])
    await visitor.silence(lambda frame: frame["type"] == "conversation.delivered")


async def test_typing_is_seen_by_the_other(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    await visitor.subscribe(room)
    await ana.subscribe(room)
    await ana.cmd("typing.start", room=room)
    assert (await visitor.expect("typing.started", room=room))["who"]["id"] == ana.id
    await visitor.cmd("typing.start", room=room)
    assert (await ana.expect("typing.started", room=room))["who"]["id"] == visitor.id


async def test_agents_see_that_the_visitor_is_here_and_he_does_not_see_who_looks_on(
    desk: Desk,
) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    await ana.subscribe(room)
    assert (await ana.expect("presence.changed", room=room))["here"] == []
    await visitor.subscribe(room)
    told = await ana.find(lambda f: f["type"] == "presence.changed" and f["here"])
    assert [one["id"] for one in told["here"]] == [visitor.id]
    told = await visitor.expect("presence.changed", room=room)
    assert [one["id"] for one in told["here"]] == [visitor.id]
    bea = await desk.agent("bea")
    await bea.subscribe(room)
    notes = (await desk.state(ana, room))["notes"]
    await ana.subscribe(notes)
    await bea.subscribe(notes)
    both = await ana.find(lambda f: f["type"] == "presence.changed" and len(f["here"]) == 2)
    assert both["room"] == notes
    await ana.vanish()
    # Presence is told once a second.
    await visitor.silence(lambda f: f["type"] == "presence.changed", 1.5)


class TestStaleReply:
    """A reply that was written without knowing what somebody else has said."""

    async def test_it_is_refused_with_what_is_new_and_stored_when_sent_anyway(
        self, everywhere: Desk
    ) -> None:
        desk = everywhere
        visitor, ana = await desk.visitor(), await desk.agent(there=True)
        room = await desk.conversation(visitor, "one")
        seen = (await ana.subscribe(room))["head"]
        two = await visitor.say(room, "two")
        key = new_key()
        with pytest.raises(Refused) as refused:
            await ana.say(room, "answer", key=key, seen=seen)
        error = refused.value.error
        assert error["code"] == "conflict"
        assert [message["text"] for message in error["messages"]] == ["two"]
        assert error["messages"][0]["seq"] == two["seq"]
        assert (await ana.cmd("history.list", room=room))["head"] == two["seq"]
        stored = await ana.say(room, "answer", key=key, seen=two["seq"])
        assert not stored["duplicate"]
        # It was stored: the key is answered before anything else is looked at.
        again = await ana.say(room, "answer", key=key, seen=0)
        assert (again["seq"], again["duplicate"]) == (stored["seq"], True)

    async def test_ones_own_messages_are_no_news(self, desk: Desk) -> None:
        visitor, ana = await desk.visitor(), await desk.agent()
        room = await desk.conversation(visitor, "one")
        head = (await ana.subscribe(room))["head"]
        await ana.say(room, "first", seen=head)
        await ana.say(room, "second", seen=head)

    async def test_of_two_agents_at_once_one_is_stored(self, everywhere: Desk) -> None:
        desk = everywhere
        visitor = await desk.visitor()
        ana, bea = await desk.agent(), await desk.agent("bea", there=True)
        room = await desk.conversation(visitor)
        for round_ in range(12):
            seen = (await visitor.say(room, f"question {round_}"))["seq"]
            outcomes = await asyncio.gather(
                *(
                    client.request(
                        "message.send", room=room, key=new_key(), text="answer", seen=seen
                    )
                    for client in (ana, bea)
                )
            )
            stored = [one for one in outcomes if one["ok"]]
            refused = [one for one in outcomes if not one["ok"]]
            assert (len(stored), len(refused)) == (1, 1)
            (error,) = (one["error"] for one in refused)
            assert error["code"] == "conflict"
            assert [message["seq"] for message in error["messages"]] == [stored[0]["result"]["seq"]]
