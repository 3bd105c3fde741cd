"""Subscribing, resuming, and when a resume becomes a reset."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tertulia.testing.client import Client
from tests.support.people import Person
from tests.support.shapes import check_event, check_reply, check_subscribed


async def resumed(client: Client, room: str, **fields: Any) -> dict[str, Any]:
    """The result of room.subscribe with `after`, checked to be one of its two forms."""
    result = check_reply(await client.request("room.subscribe", room=room, **fields))
    if "reset" in result:
        assert result["reset"] is True
        check_subscribed(result, reset=True)
        return result
    assert set(result) == {"head", "events"}
    seqs = [event["seq"] for event in result["events"]]
    assert seqs == list(range(fields["after"] + 1, result["head"] + 1))
    for event in result["events"]:
        check_event(event)
    return result


async def test_a_snapshot_of_the_room(talk: Any) -> None:
    await talk.ana.say(talk.room, "hola")
    result = check_reply(await talk.bea.request("room.subscribe", room=talk.room))
    check_subscribed(result)
    assert (result["head"], result["state"]["messages"]) == (3, 1)
    assert result["state"]["role"] == "member"
    assert {m["name"]: m["role"] for m in result["members"]} == {
        talk.ana.name: "owner", talk.bea.name: "member"
    }  # fmt: skip
    assert not result["messages_more"]
    assert result["members_more"] is None


async def test_the_snapshot_holds_the_newest_messages(talk: Any) -> None:
    for number in range(8):
        await talk.ana.say(talk.room, f"{number}")
    result = await talk.bea.cmd("room.subscribe", room=talk.room, limit=3)
    assert [m["text"] for m in result["messages"]] == ["5", "6", "7"]
    assert result["messages_more"]


async def test_events_follow_from_the_head_on_without_gap(talk: Any, ana: Person) -> None:
    """While others write, many subscribe: each sees every event after its own head, once."""
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await talk.ana.say(talk.room, "and on")

    writing = asyncio.create_task(write())
    late = [await ana.connect() for _ in range(5)]
    for _ in range(5):
        for client in late:
            await client.subscribe(talk.room)
    stop.set()
    await writing
    head = (await talk.ana.say(talk.room, "last"))["seq"]
    for client in late:
        view = await client.reached(talk.room, head)
        assert max(view.messages) == head


async def test_subscribing_again_begins_anew(talk: Any) -> None:
    await talk.bea.subscribe(talk.room)
    await talk.bea.subscribe(talk.room)
    sent = await talk.ana.say(talk.room, "once only")
    await talk.bea.reached(talk.room, sent["seq"])
    await talk.bea.cmd("ping")
    assert [e["seq"] for e in talk.bea.events].count(sent["seq"]) == 1


async def test_after_unsubscribing_no_event_comes(talk: Any) -> None:
    await talk.bea.cmd("room.unsubscribe", room=talk.room)
    await talk.ana.say(talk.room, "unheard")
    await talk.bea.silence(lambda f: f["type"] == "message.created")


async def test_unsubscribing_twice_or_from_nowhere_harms_nobody(talk: Any, eve: Person) -> None:
    await talk.bea.cmd("room.unsubscribe", room=talk.room)
    await talk.bea.cmd("room.unsubscribe", room=talk.room)
    await (await eve.connect()).cmd("room.unsubscribe", room=talk.room)


async def test_a_resume_brings_exactly_what_was_missed(talk: Any, bea: Person) -> None:
    view = talk.bea.views[talk.room]
    await talk.bea.vanish()
    sent = await talk.ana.say(talk.room, "one")
    await talk.ana.cmd("message.edit", room=talk.room, seq=sent["seq"], text="two")
    await talk.ana.cmd("reaction.add", room=talk.room, seq=sent["seq"], emoji="👍")
    client = await bea.connect()
    result = await resumed(client, talk.room, after=view.seq, epoch=client.welcome["epoch"])
    assert [event["type"] for event in result["events"]] == [
        "message.created", "message.edited", "reaction.added"
    ]  # fmt: skip


async def test_a_resume_at_the_head_brings_nothing_and_goes_on(talk: Any) -> None:
    view = talk.bea.views[talk.room]
    result = await talk.bea.resume(talk.room, view)
    assert result == {"head": 2, "events": []}
    await talk.ana.say(talk.room, "and on")
    await talk.bea.reached(talk.room, 3)


async def test_an_event_read_back_shows_the_message_as_it_stands(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "first")
    fields = {"room": talk.room, "seq": sent["seq"]}
    edit = await talk.ana.cmd("message.edit", **fields, text="second")
    epoch = talk.bea.welcome["epoch"]
    result = await resumed(talk.bea, talk.room, after=2, epoch=epoch)
    created, edited = result["events"]
    assert created["type"] == "message.created"
    assert created["message"] == edited["message"]
    assert created["message"]["text"] == "second"
    assert created["message"]["version"] == edit["event"]


@pytest.mark.parametrize(
    "fields",
    [
        {"after": 1, "epoch": "another"},
        {"after": 1, "epoch": ""},
        {"after": 1, "epoch": None},
        {"after": 1},
        {"after": 0},
    ],
    ids=str,
)
async def test_a_foreign_or_missing_epoch_resets(talk: Any, fields: dict[str, Any]) -> None:
    result = await resumed(talk.bea, talk.room, **fields)
    assert result.get("reset") is True


async def test_a_position_above_the_head_resets(talk: Any) -> None:
    epoch = talk.bea.welcome["epoch"]
    result = await resumed(talk.bea, talk.room, after=3, epoch=epoch)
    assert result.get("reset") is True
    assert result["head"] == 2


async def test_after_a_reset_events_follow_from_its_head(talk: Any) -> None:
    result = await talk.bea.subscribe(talk.room, after=99, epoch="another")
    assert result["reset"] is True
    sent = await talk.ana.say(talk.room, "on")
    await talk.bea.reached(talk.room, sent["seq"])


async def test_500_events_are_resumed_and_501_reset(talk: Any) -> None:
    await asyncio.gather(*(talk.ana.say(talk.room, f"{n}") for n in range(500)))
    epoch = talk.bea.welcome["epoch"]
    result = await resumed(talk.bea, talk.room, after=2, epoch=epoch)
    assert len(result["events"]) == 500
    result = await resumed(talk.bea, talk.room, after=1, epoch=epoch, limit=7)
    assert result.get("reset") is True
    assert len(result["messages"]) == 7


async def test_more_than_a_mebibyte_resets(talk: Any) -> None:
    await asyncio.gather(*(talk.ana.say(talk.room, f"{n} " + "é" * 9000) for n in range(60)))
    epoch = talk.bea.welcome["epoch"]
    result = await resumed(talk.bea, talk.room, after=2, epoch=epoch)
    assert result.get("reset") is True
    result = await resumed(talk.bea, talk.room, after=57, epoch=epoch)
    assert len(result["events"]) == 5


async def test_two_rooms_on_one_connection_keep_apart(talk: Any) -> None:
    other = await talk.ana.create("Next door")
    await talk.bea.subscribe(other)
    await talk.ana.say(other, "there")
    await talk.ana.say(talk.room, "here")
    await talk.bea.reached(other, 2)
    await talk.bea.reached(talk.room, 3)
    assert talk.bea.views[other].texts() == ["there"]
    assert talk.bea.views[talk.room].texts() == ["here"]


async def test_twenty_tabs_of_one_person_all_hear(talk: Any, bea: Person) -> None:
    tabs = [await bea.connect() for _ in range(20)]
    for tab in tabs:
        await tab.subscribe(talk.room)
    sent = await talk.ana.say(talk.room, "everywhere")
    for tab in tabs:
        await tab.reached(talk.room, sent["seq"])


async def test_what_an_auth_has_ended_is_not_answered_as_begun(ana: Person) -> None:
    """An `ok` means that events follow, where it comes behind the welcome."""
    speaker = await ana.connect()
    room = await speaker.create("Twice")
    token = {"Authorization": f"Bearer {ana.token}"}
    async with connect(f"{ana.server.ws}/ws/", additional_headers=token) as socket:
        # That of the header; those below are the answers to `auth`.
        await heard(socket, lambda frame: frame["type"] == "welcome")
        for turn in range(10):
            # Behind others that are read as well it takes its time.
            lists = [{"type": "room.list", "ref": f"l{n}"} for n in range(30)]
            asked = {"type": "room.subscribe", "ref": f"s{turn}", "room": room}
            for frame in (*lists, asked, {"type": "auth", "token": ana.token}):
                await socket.send(json.dumps(frame))
            await heard(socket, lambda frame: frame["type"] == "welcome")
            await socket.send(json.dumps({"type": "ping", "ref": f"p{turn}"}))
            refs = (f"s{turn}", f"p{turn}")
            late = await heard(socket, lambda frame, refs=refs: frame.get("ref") in refs, 0.5)
            if late and late["ref"] == f"s{turn}" and late["ok"]:
                await speaker.say(room, f"turn {turn}")
                await heard(socket, lambda frame: frame["type"] == "message.created")


async def heard(socket: Any, wanted: Any, seconds: float = 15) -> Any:
    """The next frame that is wanted; None where there is none in so short a time."""
    try:
        async with asyncio.timeout(seconds):
            while not wanted(frame := json.loads(await socket.recv())):
                pass
    except TimeoutError:
        assert seconds < 1, "it did not come"
        return None
    return frame
