"""Read marks, unread counts and mentions, by their definition."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tertulia.testing.workload import until
from tests.support.people import Person
from tests.support.shapes import check_member


async def counts(client: Client, room: str) -> dict[str, int]:
    """What room.list says of one of my rooms."""
    rooms = (await client.cmd("room.list", limit=100))["rooms"]
    (state,) = [state for state in rooms if state["room"] == room]
    return {name: state[name] for name in ("messages", "head", "read", "unread", "mentions")}


async def eventually(client: Client, room: str, **wanted: int) -> None:
    """A mark is written at most once a second, so the counts may lag by that much."""

    async def right() -> bool:
        now = await counts(client, room)
        return all(now[name] == value for name, value in wanted.items())

    await until(right, 4, f"counts {wanted}")


async def test_messages_of_others_are_unread(talk: Any) -> None:
    before = await counts(talk.bea, talk.room)
    for number in range(3):
        await talk.ana.say(talk.room, f"{number}")
    assert (await counts(talk.bea, talk.room))["unread"] == before["unread"] + 3


async def test_sending_marks_read(talk: Any) -> None:
    await talk.ana.say(talk.room, "to Bea")
    sent = await talk.bea.say(talk.room, "to Ana")
    now = await counts(talk.bea, talk.room)
    assert (now["unread"], now["read"]) == (0, sent["seq"])
    assert (await counts(talk.ana, talk.room))["unread"] == 1


async def test_unread_counts_messages_above_the_mark(talk: Any) -> None:
    seqs = [(await talk.ana.say(talk.room, f"{n}"))["seq"] for n in range(5)]
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[2])
    await eventually(talk.bea, talk.room, read=seqs[2], unread=2)


async def test_other_events_are_never_unread(talk: Any, eve: Person) -> None:
    sent = await talk.ana.say(talk.room, "one")
    await talk.ana.cmd("reaction.add", room=talk.room, seq=sent["seq"], emoji="👍")
    await talk.ana.cmd("message.edit", room=talk.room, seq=sent["seq"], text="two")
    await (await eve.connect()).cmd("room.join", room=talk.room)
    assert (await counts(talk.bea, talk.room))["unread"] == 1


async def test_a_deletion_does_not_lower_unread(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "gone soon")
    await talk.ana.cmd("message.delete", room=talk.room, seq=sent["seq"])
    assert (await counts(talk.bea, talk.room))["unread"] == 1


async def test_a_mark_between_messages_counts_what_is_at_or_below(talk: Any) -> None:
    first = await talk.ana.say(talk.room, "one")
    reaction = await talk.ana.cmd("reaction.add", room=talk.room, seq=first["seq"], emoji="👍")
    await talk.ana.say(talk.room, "two")
    await talk.bea.cmd("read.mark", room=talk.room, seq=reaction["event"])
    await eventually(talk.bea, talk.room, read=reaction["event"], unread=1)


async def test_a_lower_mark_changes_nothing(talk: Any) -> None:
    seqs = [(await talk.ana.say(talk.room, f"{n}"))["seq"] for n in range(3)]
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[2])
    await eventually(talk.bea, talk.room, read=seqs[2])
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[0])
    await asyncio.sleep(1.5)
    assert (await counts(talk.bea, talk.room))["read"] == seqs[2]


async def test_a_mark_above_the_head_is_invalid(talk: Any) -> None:
    reply = await talk.bea.request("read.mark", room=talk.room, seq=3)
    assert (reply["error"]["code"], reply["error"]["field"]) == ("invalid", "seq")


async def test_marks_in_quick_succession_end_at_the_last(talk: Any) -> None:
    seqs = [(await talk.ana.say(talk.room, f"{n}"))["seq"] for n in range(20)]
    await asyncio.gather(*(talk.bea.cmd("read.mark", room=talk.room, seq=seq) for seq in seqs))
    await eventually(talk.bea, talk.room, read=seqs[-1], unread=0)


async def test_the_mark_is_told_at_subscribing(talk: Any) -> None:
    sent = await talk.bea.say(talk.room, "mine")
    result = await talk.bea.cmd("room.subscribe", room=talk.room)
    assert result["read"] == sent["seq"]


async def test_my_other_connections_learn_of_my_mark(talk: Any, bea: Person) -> None:
    tab = await bea.connect()
    sent = await talk.ana.say(talk.room, "read me")
    await talk.bea.cmd("read.mark", room=talk.room, seq=sent["seq"])
    event = await tab.expect("read.changed", read=sent["seq"])
    assert event == {
        "type": "read.changed", "room": talk.room, "read": sent["seq"],
        "who": talk.bea.welcome["me"],
    }  # fmt: skip


async def test_of_marks_by_two_connections_each_learns_of_the_others(
    talk: Any, bea: Person
) -> None:
    tab = await bea.connect()
    seqs = [(await talk.ana.say(talk.room, f"{n}"))["seq"] for n in range(3)]
    await talk.bea.subscribe(talk.room)
    await tab.subscribe(talk.room)
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[0])
    # Both wait for the same second.
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[1])
    await tab.cmd("read.mark", room=talk.room, seq=seqs[2])
    await talk.bea.expect("read.changed", read=seqs[2])


async def test_in_a_public_room_nobody_else_learns_of_my_mark(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "read me")
    await talk.bea.cmd("read.mark", room=talk.room, seq=sent["seq"])
    who = talk.bea.id
    await talk.ana.silence(lambda f: f["type"] == "read.changed" and f["who"]["id"] == who, 1.5)


async def test_in_a_direct_room_everyone_learns_of_my_mark(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("", "direct", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    sent = await first.say(room, "read me")
    await second.cmd("read.mark", room=room, seq=sent["seq"])
    event = await first.find(lambda f: f["type"] == "read.changed" and f["who"]["id"] == second.id)
    assert (event["room"], event["read"]) == (room, sent["seq"])


async def test_a_snapshot_of_a_direct_room_tells_who_has_read(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("", "direct", members=[second.id])
    sent = await first.say(room, "read me")
    result = await first.cmd("room.subscribe", room=room)
    for members in (result["members"], (await first.cmd("member.list", room=room))["members"]):
        for member in members:
            check_member(member)
        assert {m["id"]: m["read"] for m in members} == {first.id: sent["seq"], second.id: 2}


async def test_a_resume_of_a_direct_room_tells_what_was_read(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("", "direct", members=[second.id])
    sent = await first.say(room, "read me")
    await second.cmd("read.mark", room=room, seq=sent["seq"])
    resume = {"room": room, "after": sent["seq"], "epoch": first.welcome["epoch"]}
    result = await first.cmd("room.subscribe", **resume)
    assert set(result) == {"head", "events", "reads"}
    assert result["reads"] == {first.id: sent["seq"], second.id: sent["seq"]}


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_elsewhere_who_has_read_is_nobodys_matter(
    ana: Person, bea: Person, kind: str
) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Read", kind, members=[second.id])
    result = await first.cmd("room.subscribe", room=room)
    for member in result["members"]:
        check_member(member)
        assert "read" not in member
    resume = {"room": room, "after": 1, "epoch": first.welcome["epoch"]}
    assert set(await first.cmd("room.subscribe", **resume)) == {"head", "events"}


async def test_what_i_send_is_read_on_my_other_devices(talk: Any, bea: Person) -> None:
    """Of a room that is open there the message itself comes; of another its activity, and then
    that I have read up to it."""
    elsewhere, open_too = await bea.connect(), await bea.connect()
    await open_too.subscribe(talk.room)
    sent = await talk.bea.say(talk.room, "mine")
    activity = await elsewhere.expect("room.activity", room=talk.room)
    assert activity["head"] == sent["seq"]
    event = await elsewhere.expect("read.changed", room=talk.room)
    assert (event["read"], event["who"]) == (sent["seq"], talk.bea.welcome["me"])
    kinds = [frame["type"] for frame in elsewhere.frames]
    assert kinds.index("room.activity") < kinds.index("read.changed")
    await open_too.silence(lambda f: f["type"] == "read.changed", 0.3)
    await talk.ana.silence(lambda f: f["type"] == "read.changed" and f["who"]["id"] == bea.id, 0.3)


async def test_a_list_never_shows_an_older_mark_than_was_told(embedded: Server, talk: Any) -> None:
    seqs = [(await talk.ana.say(talk.room, f"{n}"))["seq"] for n in range(3)]
    await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[0])
    database = sqlite3.connect(embedded.database_file(), isolation_level=None)
    with closing(database):
        database.execute("BEGIN IMMEDIATE")
        told = await talk.bea.cmd("read.mark", room=talk.room, seq=seqs[2])
        # Its second is over, and the writer waits for the one lock.
        await asyncio.sleep(1.5)
        listing = asyncio.create_task(talk.bea.cmd("room.list"))
        await asyncio.sleep(0.3)
        database.execute("COMMIT")
    (mine,) = [one for one in (await listing)["rooms"] if one["room"] == talk.room]
    assert mine["read"] == told["read"] == seqs[2]


# Mentions


async def test_what_one_was_named_in_before_leaving_is_read_with_coming_back(talk: Any) -> None:
    await talk.ana.say(talk.room, f"@{talk.bea.name} are you there?")
    await talk.bea.cmd("room.leave", room=talk.room)
    await talk.bea.cmd("room.join", room=talk.room)
    await eventually(talk.bea, talk.room, unread=0, mentions=0)


async def test_a_mention_is_named_and_counted(talk: Any) -> None:
    await talk.ana.say(talk.room, f"@{talk.bea.name} hola")
    event = await talk.bea.expect("message.created")
    assert event["message"]["mentions"] == [talk.bea.id]
    assert (await counts(talk.bea, talk.room))["mentions"] == 1
    assert (await counts(talk.ana, talk.room))["mentions"] == 0


async def test_a_mention_is_read_with_its_message(talk: Any) -> None:
    first = await talk.ana.say(talk.room, f"@{talk.bea.name} one")
    await talk.ana.say(talk.room, f"@{talk.bea.name} two")
    await talk.bea.cmd("read.mark", room=talk.room, seq=first["seq"])
    await eventually(talk.bea, talk.room, mentions=1)
    await talk.bea.say(talk.room, "answer")
    await eventually(talk.bea, talk.room, mentions=0)


async def test_two_mentions_in_one_message_are_one(talk: Any) -> None:
    name = talk.bea.name
    await talk.ana.say(talk.room, f"@{name} and again @{name}")
    event = await talk.bea.expect("message.created")
    assert event["message"]["mentions"] == [talk.bea.id]
    assert (await counts(talk.bea, talk.room))["mentions"] == 1


@pytest.mark.parametrize("form", ["mail{}@{}.example", "@{}x", "x@{}", "@ {}"])
async def test_what_only_looks_like_a_mention_is_none(talk: Any, form: str) -> None:
    name = talk.bea.name
    await talk.ana.say(talk.room, form.format(name, name) + " end")
    event = await talk.bea.expect("message.created")
    assert event["message"]["mentions"] == []


async def test_a_mention_goes_with_the_text_that_made_it(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "hola")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("message.edit", **fields, text=f"hola @{talk.bea.name}")
    event = await talk.bea.expect("message.edited")
    assert event["message"]["mentions"] == [talk.bea.id]
    await talk.ana.cmd("message.delete", **fields)
    event = await talk.bea.expect("message.deleted")
    assert event["message"]["mentions"] == []


async def test_who_may_not_read_the_room_is_not_mentioned_in_it(private: Any, eve: Person) -> None:
    client = await eve.connect()
    await private.ana.say(private.room, f"@{eve.name} must not know")
    event = await private.bea.expect("message.created")
    assert event["message"]["mentions"] == []
    await client.silence(lambda f: f.get("room") == private.room)
