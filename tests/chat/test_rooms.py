"""Making, finding, entering, changing and leaving rooms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tertulia.testing.client import new_key
from tests.support.people import Person
from tests.support.shapes import check_event, check_reply, check_state


async def test_a_room_is_made_with_its_maker_as_owner(ana: Person) -> None:
    client = await ana.connect()
    reply = await client.request(
        "room.create", key=new_key(), name="Café Central", kind="public", members=[]
    )
    result = check_reply(reply)
    assert set(result) == {"room", "state"}
    check_state(result["state"])
    state = result["state"]
    assert state["room"] == result["room"]
    assert (state["name"], state["kind"], state["role"]) == ("Café Central", "public", "owner")
    assert (state["topic"], state["archived"], state["messages"]) == ("", False, 0)


async def test_the_same_key_gives_the_same_room(ana: Person) -> None:
    client, key = await ana.connect(), new_key()
    first = await client.create("One", key=key)
    assert await client.create("Two", "private", key=key) == first
    assert await client.create("One", key=key.upper()) == first


async def test_another_key_gives_another_room_of_the_same_name(ana: Person) -> None:
    client = await ana.connect()
    assert await client.create("Twin") != await client.create("Twin")


async def test_making_a_room_logs_everybody_in_it(ana: Person, bea: Person) -> None:
    client, other = await ana.connect(), await bea.connect()
    room = await client.create("Two of us", "private", members=[other.id])
    epoch = client.welcome["epoch"]
    result = await client.cmd("room.subscribe", room=room, after=0, epoch=epoch)
    for event in result["events"]:
        check_event(event)
        assert event["type"] == "member.joined"
        assert event["actor"]["id"] == client.id
    roles = {event["member"]["id"]: event["role"] for event in result["events"]}
    assert roles == {client.id: "owner", other.id: "member"}


async def test_a_private_slug_tells_nothing(ana: Person) -> None:
    client = await ana.connect()
    slugs = {await client.create("Payroll", "private") for _ in range(5)}
    assert len(slugs) == 5
    for slug in slugs:
        assert "payroll" not in slug.lower()
        assert len(slug) >= 16


async def test_a_direct_room_is_for_those_named(ana: Person, bea: Person, eve: Person) -> None:
    client, other, third = await ana.connect(), await bea.connect(), await eve.connect()
    room = await client.create("", "direct", members=[other.id])
    await client.say(room, "psst")
    result = await other.subscribe(room)
    assert result["state"]["kind"] == "direct"
    assert other.views[room].texts() == ["psst"]
    assert await third.refused("room.subscribe", room=room) == "not_found"


async def test_my_rooms_are_listed_with_their_counts(talk: Any) -> None:
    await talk.bea.say(talk.room, "hola")
    result = await talk.ana.cmd("room.list")
    assert set(result) == {"rooms", "more"}
    (state,) = result["rooms"]
    counts = ("head", "read", "unread", "mentions")
    check_state(
        {name: state[name] for name in state if name not in (*counts, "favourite", "people")}
    )
    assert state["room"] == talk.room
    assert state["role"] == "owner"
    assert (state["head"], state["messages"], state["unread"], state["mentions"]) == (3, 1, 1, 0)


async def test_the_list_of_rooms_is_paged_without_loss_or_repetition(ana: Person) -> None:
    client = await ana.connect()
    made = {await client.create(f"Page {n}") for n in range(7)}
    listed: list[str] = []
    cursor = None
    while True:
        page = await client.cmd("room.list", limit=3, **({"cursor": cursor} if cursor else {}))
        assert len(page["rooms"]) <= 3
        listed += [state["room"] for state in page["rooms"]]
        cursor = page["more"]
        if cursor is None:
            break
    assert len(listed) == 7
    assert set(listed) == made


async def test_only_my_rooms_are_listed(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    await client.cmd("room.subscribe", room=talk.room)
    assert (await client.cmd("room.list")) == {"rooms": [], "more": None}


async def test_joining_is_an_event(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    result = await client.cmd("room.join", room=talk.room)
    assert set(result) == {"event"}
    event = await talk.ana.expect("member.joined", seq=result["event"])
    check_event(event)
    assert event["member"] == event["actor"] == client.welcome["me"]
    assert event["role"] == "member"


async def test_joining_again_answers_with_the_first(talk: Any) -> None:
    assert await talk.bea.cmd("room.join", room=talk.room) == {"event": 2}
    assert (await talk.ana.say(talk.room, "next"))["seq"] == 3


async def test_leaving_is_an_event_and_ends_sending(talk: Any) -> None:
    result = await talk.bea.cmd("room.leave", room=talk.room)
    event = await talk.ana.expect("member.left")
    check_event(event)
    assert event["seq"] == result["event"]
    assert event["member"]["id"] == event["actor"]["id"] == talk.bea.id
    assert await talk.bea.cmd("room.leave", room=talk.room) == result
    code = await talk.bea.refused("message.send", room=talk.room, key=new_key(), text="hi")
    assert code == "forbidden"


async def test_who_left_may_come_back(talk: Any) -> None:
    await talk.bea.cmd("room.leave", room=talk.room)
    assert await talk.bea.cmd("room.join", room=talk.room) == {"event": 4}
    await talk.bea.say(talk.room, "back again")


async def test_leaving_where_one_never_was_is_a_conflict(talk: Any, eve: Person) -> None:
    assert await (await eve.connect()).refused("room.leave", room=talk.room) == "conflict"


async def test_a_public_room_may_be_read_without_joining(talk: Any, eve: Person) -> None:
    await talk.ana.say(talk.room, "for all to read")
    client = await eve.connect()
    result = await client.subscribe(talk.room)
    assert result["state"]["role"] is None
    assert [m["text"] for m in result["messages"]] == ["for all to read"]
    assert eve.name not in [m["name"] for m in result["members"]]
    await talk.ana.say(talk.room, "and live")
    assert (await client.expect("message.created"))["message"]["text"] == "and live"


async def test_name_and_topic_can_be_changed(talk: Any) -> None:
    result = await talk.ana.cmd("room.update", room=talk.room, name="New", topic="On chat")
    assert set(result) == {"event"}
    event = await talk.bea.expect("room.updated")
    check_event(event)
    assert event["seq"] == result["event"]
    state = event["state"]
    assert (state["room"], state["name"], state["topic"]) == (talk.room, "New", "On chat")


async def test_an_update_that_changes_nothing_answers_with_the_one_before(talk: Any) -> None:
    first = await talk.ana.cmd("room.update", room=talk.room, topic="On chat")
    assert await talk.ana.cmd("room.update", room=talk.room, topic="On chat") == first
    assert (await talk.ana.say(talk.room, "next"))["seq"] == first["event"] + 1


async def test_the_slug_stays_when_the_name_changes(talk: Any) -> None:
    await talk.ana.cmd("room.update", room=talk.room, name="Another name")
    result = await talk.bea.cmd("room.subscribe", room=talk.room)
    assert (result["state"]["room"], result["state"]["name"]) == (talk.room, "Another name")


async def test_an_archived_room_is_read_but_not_written(talk: Any) -> None:
    sent = await talk.bea.say(talk.room, "before")
    await talk.ana.cmd("room.update", room=talk.room, archived=True)
    assert (await talk.bea.expect("room.updated"))["state"]["archived"] is True
    code = await talk.bea.refused("message.send", room=talk.room, key=new_key(), text="after")
    assert code in ("forbidden", "conflict")
    page = await talk.bea.cmd("history.list", room=talk.room, after=0)
    assert [m["seq"] for m in page["messages"]] == [sent["seq"]]
    await talk.ana.cmd("room.update", room=talk.room, archived=False)
    await talk.bea.say(talk.room, "again")


COMMANDS: dict[str, dict[str, Any]] = {
    "room.subscribe": {},
    "room.join": {},
    "room.leave": {},
    "room.update": {"name": "x"},
    "member.add": {"member": "x"},
    "member.remove": {"member": "x"},
    "member.role": {"member": "x", "role": "member"},
    "member.list": {},
    "message.send": {"key": new_key(), "text": "x"},
    "message.edit": {"seq": 1, "text": "x"},
    "message.delete": {"seq": 1},
    "reaction.add": {"seq": 1, "emoji": "👍"},
    "reaction.remove": {"seq": 1, "emoji": "👍"},
    "read.mark": {"seq": 1},
    "typing.start": {},
    "typing.stop": {},
    "room.favourite": {"favourite": True},
    "history.list": {"after": 0},
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_hidden_and_absent_rooms_answer_the_same(
    private: Any, eve: Person, command: str
) -> None:
    client = await eve.connect()
    fields = COMMANDS[command]
    hidden = await client.request(command, ref="x", room=private.room, **fields)
    absent = await client.request(command, ref="x", room="no-such-room-anywhere", **fields)
    assert hidden["error"]["code"] == "not_found"
    assert hidden == absent


@pytest.mark.parametrize("slug", ["", "-", "../etc", "a/b", "a b", "x" * 81, "💬", "\u0301", "%"])
@pytest.mark.parametrize("command", ["room.subscribe", "message.send", "room.join"])
async def test_what_can_be_no_slug_is_refused(ana: Person, command: str, slug: str) -> None:
    client = await ana.connect()
    code = await client.refused(command, room=slug, **COMMANDS[command])
    assert code in ("not_found", "invalid")


async def test_the_same_key_gives_the_same_direct_room(ana: Person, bea: Person) -> None:
    client, other = await ana.connect(), await bea.connect()
    await other.create("", "direct", members=[client.id])
    key = new_key()
    first = await client.create("", "direct", members=[other.id], key=key)
    assert await client.create("", "direct", members=[other.id], key=key) == first
    assert await client.create("Something else", "public", key=key) == first


async def test_two_rooms_are_made_at_once_by_one_key_only_once(ana: Person) -> None:
    first, second = await ana.connect(), await ana.connect()
    for _ in range(5):
        key = new_key()
        slugs = await asyncio.gather(*(c.create("Once", key=key) for c in (first, second) * 3))
        assert len(set(slugs)) == 1


async def test_whom_somebody_has_removed_does_not_come_back_to_a_direct_room(
    people: Callable[..., Person],
) -> None:
    ana, bea, carl = [await people().connect() for _ in range(3)]
    room = await ana.create("", "direct", members=[bea.id, carl.id])
    await ana.cmd("member.remove", room=room, member=bea.id)
    await carl.cmd("room.leave", room=room)
    again = {"name": "", "kind": "direct"}
    key = new_key()
    for _ in range(2):
        refused = await bea.request("room.create", key=key, members=[ana.id, carl.id], **again)
        assert refused["error"]["code"] == "forbidden"
    # Who left by himself comes back by himself; nobody else is put back.
    await ana.cmd("room.create", key=new_key(), members=[bea.id, carl.id], **again)
    present = {one["id"] for one in (await ana.cmd("member.list", room=room))["members"]}
    assert present == {ana.id}
    back = await carl.cmd("room.create", key=new_key(), members=[ana.id, bea.id], **again)
    assert (back["room"], back["state"]["role"]) == (room, "member")
    await carl.cmd("room.leave", room=room)
    await ana.cmd("room.update", room=room, archived=True)
    reply = await carl.request("room.create", key=new_key(), members=[ana.id, bea.id], **again)
    assert reply["error"]["code"] == "forbidden"


async def test_of_two_who_has_left_is_written_to_again(people: Callable[..., Person]) -> None:
    ana, bea = [await people().connect() for _ in range(2)]
    room = await ana.create("", "direct", members=[bea.id])
    await bea.cmd("room.leave", room=room)
    await ana.cmd("room.create", key=new_key(), name="", kind="direct", members=[bea.id])
    await ana.say(room, "Are you there?")
    await bea.expect("room.activity", room=room)


async def test_a_key_does_not_show_what_a_room_has_become_to_who_was_put_out(
    people: Callable[..., Person],
) -> None:
    ana, bea = [await people().connect() for _ in range(2)]
    create = {"key": new_key(), "name": "Plans", "kind": "private", "members": [bea.id]}
    room = (await ana.cmd("room.create", **create))["room"]
    await ana.cmd("member.role", room=room, member=bea.id, role="owner")
    await bea.cmd("member.remove", room=room, member=ana.id)
    await bea.cmd("room.update", room=room, name="Plans without Ana", topic="on Monday")
    await bea.say(room, "Good.")
    again = await ana.cmd("room.create", **create)
    state = again["state"]
    assert (again["room"], state["name"], state["topic"]) == (room, "Plans", "")
    assert (state["messages"], state["role"]) == (0, None)
