"""What passes and is not kept: typing, presence, activity, entering and leaving."""

from __future__ import annotations

from typing import Any

from tertulia.testing.client import Client
from tests.support.people import Person
from tests.support.shapes import check_person


async def test_typing_is_seen_by_the_others(talk: Any) -> None:
    await talk.ana.cmd("typing.start", room=talk.room)
    event = await talk.bea.expect("typing.started")
    assert event == {
        "type": "typing.started", "room": talk.room, "who": talk.ana.welcome["me"]
    }  # fmt: skip
    await talk.ana.cmd("typing.stop", room=talk.room)
    event = await talk.bea.expect("typing.stopped")
    assert event == {
        "type": "typing.stopped", "room": talk.room, "who": talk.ana.welcome["me"]
    }  # fmt: skip


async def test_typing_needs_joining(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    await client.subscribe(talk.room)
    assert await client.refused("typing.start", room=talk.room) == "forbidden"
    await talk.ana.silence(lambda f: f["type"] == "typing.started")


async def test_typing_does_not_leave_the_room(private: Any, eve: Person) -> None:
    client = await eve.connect()
    await private.ana.cmd("typing.start", room=private.room)
    await private.bea.expect("typing.started")
    await client.silence(lambda f: f["type"] == "typing.started")


async def test_passing_events_are_not_in_the_log(talk: Any) -> None:
    await talk.ana.cmd("typing.start", room=talk.room)
    await talk.ana.cmd("read.mark", room=talk.room, seq=1)
    assert (await talk.ana.say(talk.room, "next"))["seq"] == 3


async def here(client: Client, room: str, *people: Client) -> None:
    """Wait until just these are said to be in the room."""
    wanted = sorted(person.id for person in people)

    def right(frame: dict[str, Any]) -> bool:
        if frame["type"] != "presence.changed" or frame["room"] != room:
            return False
        assert set(frame) == {"type", "room", "here"}
        for person in frame["here"]:
            check_person(person)
        return sorted(person["id"] for person in frame["here"]) == wanted

    await client.find(right, what=f"presence of {wanted}")
    # What was said before is of no account: a tick may fall between two who come.
    client.inbox[:] = [
        frame
        for frame in client.inbox
        if frame.get("room") != room or frame["type"] != "presence.changed"
    ]


async def test_who_comes_is_here_and_who_goes_is_not(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Here")
    await first.subscribe(room)
    await here(first, room, first)
    await second.subscribe(room)
    await here(first, room, first, second)
    await second.close()
    await here(first, room, first)


async def test_whoever_comes_learns_who_is_here(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Here already")
    await first.subscribe(room)
    await second.subscribe(room)
    await here(second, room, first, second)


async def test_a_cut_connection_is_gone_as_well(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Cut")
    await first.subscribe(room)
    await second.subscribe(room)
    await here(first, room, first, second)
    await second.vanish()
    await here(first, room, first)


async def test_two_tabs_are_one_person(ana: Person, bea: Person) -> None:
    first, second, tab = await ana.connect(), await bea.connect(), await bea.connect()
    room = await first.create("Tabs")
    await first.subscribe(room)
    await second.subscribe(room)
    await tab.subscribe(room)
    await here(first, room, first, second)
    await tab.close()
    await first.silence(
        lambda f: f["type"] == "presence.changed" and len(f["here"]) != 2, seconds=1.5
    )


async def test_members_elsewhere_learn_of_activity(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Busy")
    await second.cmd("room.join", room=room)
    sent = await first.say(room, f"hola @{second.name}")
    event = await second.expect("room.activity", room=room, head=sent["seq"])
    assert event == {
        "type": "room.activity", "room": room, "head": sent["seq"], "messages": 1,
        "mentioned": [second.id],
    }  # fmt: skip


async def test_activity_comes_at_most_once_a_second_and_ends_at_the_head(
    ana: Person, bea: Person
) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Very busy")
    await second.cmd("room.join", room=room)
    for number in range(30):
        head = (await first.say(room, f"{number}"))["seq"]
    await second.expect("room.activity", room=room, head=head)
    # Thirty messages take well below the seconds that thirty separate notices would need.
    assert sum(f["type"] == "room.activity" for f in second.frames) < 15


async def test_who_is_subscribed_gets_no_activity(talk: Any) -> None:
    await talk.ana.say(talk.room, "hola")
    await talk.bea.silence(lambda f: f["type"] == "room.activity", 1.5)


async def test_no_activity_of_rooms_where_one_is_no_member(talk: Any, eve: Person) -> None:
    client = await eve.connect()
    await talk.ana.say(talk.room, "hola")
    await client.silence(lambda f: f["type"] == "room.activity", 1.5)


async def test_entering_and_leaving_are_told_on_all_my_connections(
    private: Any, eve: Person
) -> None:
    tabs = [await eve.connect(), await eve.connect()]
    fields = {"room": private.room, "member": tabs[0].id}
    await private.ana.cmd("member.add", **fields)
    for tab in tabs:
        assert await tab.expect("room.entered") == {"type": "room.entered", "room": private.room}
    await private.ana.cmd("member.remove", **fields)
    for tab in tabs:
        assert await tab.expect("room.left") == {"type": "room.left", "room": private.room}


async def test_entering_by_oneself_is_told_on_the_other_connections(
    ana: Person, bea: Person
) -> None:
    first, tab = await ana.connect(), await ana.connect()
    room = await first.create("Mine")
    await tab.expect("room.entered", room=room)
    second, other = await bea.connect(), await bea.connect()
    await second.cmd("room.join", room=room)
    await other.expect("room.entered", room=room)
    await second.cmd("room.leave", room=room)
    await other.expect("room.left", room=room)


async def test_a_heartbeat_is_no_reply_to_a_ping(ana: Person) -> None:
    client = await ana.connect()
    assert isinstance(await client.cmd("ping"), dict)
    assert [f for f in client.frames if f["type"] == "heartbeat"] == []
