"""A repeated key is the same message: whoever carries it, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from tertulia.testing.client import new_key
from tests.support.people import Person
from tests.support.shapes import check_error


async def test_the_same_key_is_the_same_message(talk: Any) -> None:
    key = new_key()
    first = await talk.ana.say(talk.room, "once", key)
    again = await talk.ana.say(talk.room, "other text", key)
    assert again == {**first, "duplicate": True}
    assert (await talk.ana.say(talk.room, "next"))["seq"] == first["seq"] + 1


async def test_the_same_key_ten_times_at_once_is_one_message(talk: Any) -> None:
    key = new_key()
    replies = await asyncio.gather(*(talk.ana.say(talk.room, "once", key) for _ in range(10)))
    assert {reply["seq"] for reply in replies} == {3}
    assert sorted(reply["duplicate"] for reply in replies) == [False] + [True] * 9
    assert (await talk.ana.say(talk.room, "next"))["seq"] == 4


async def test_keys_are_compared_as_uuids(talk: Any) -> None:
    key = uuid.uuid4()
    first = await talk.ana.say(talk.room, "once", str(key))
    for form in (str(key).upper(), key.hex):
        again = await talk.ana.say(talk.room, "once", form)
        assert (again["seq"], again["duplicate"]) == (first["seq"], True)
    event = await talk.bea.expect("message.created")
    assert event["message"]["key"] == str(key)


async def test_a_key_used_in_another_room_is_a_conflict(talk: Any) -> None:
    key = new_key()
    await talk.ana.say(talk.room, "here", key)
    other = await talk.ana.create("Elsewhere")
    reply = await talk.ana.request("message.send", room=other, key=key, text="there")
    check_error(reply, "conflict")


async def test_two_people_may_use_the_same_key(talk: Any) -> None:
    key = new_key()
    first = await talk.ana.say(talk.room, "mine", key)
    second = await talk.bea.say(talk.room, "mine too", key)
    assert second["duplicate"] is False
    assert second["seq"] == first["seq"] + 1


async def test_a_key_of_a_room_may_be_the_key_of_a_message(talk: Any) -> None:
    key = new_key()
    room = await talk.ana.create("By the same key", key=key)
    assert (await talk.ana.say(room, "hola", key))["duplicate"] is False


async def test_a_retry_is_answered_after_leaving_and_archiving(talk: Any) -> None:
    key = new_key()
    first = await talk.bea.say(talk.room, "before I go", key)
    await talk.bea.cmd("room.leave", room=talk.room)
    await talk.ana.cmd("room.update", room=talk.room, archived=True)
    again = await talk.bea.say(talk.room, "before I go", key)
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)


async def test_a_retry_is_answered_after_a_removal_from_a_private_room(private: Any) -> None:
    key = new_key()
    first = await private.bea.say(private.room, "in time", key)
    await private.ana.cmd("member.remove", room=private.room, member=private.bea.id)
    again = await private.bea.say(private.room, "in time", key)
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)


async def test_a_retry_of_a_deleted_message_is_answered(talk: Any) -> None:
    key = new_key()
    first = await talk.ana.say(talk.room, "deleted", key)
    await talk.ana.cmd("message.delete", room=talk.room, seq=first["seq"])
    assert (await talk.ana.say(talk.room, "deleted", key))["seq"] == first["seq"]


async def test_a_retry_over_another_connection_is_answered(talk: Any, ana: Person) -> None:
    key = new_key()
    first = await talk.ana.say(talk.room, "once", key)
    await talk.ana.vanish()
    again = await (await ana.connect()).say(talk.room, "once", key)
    assert (again["seq"], again["duplicate"]) == (first["seq"], True)


async def test_a_refused_send_leaves_its_key_free(talk: Any, eve: Person) -> None:
    key = new_key()
    client = await eve.connect()
    assert await client.refused("message.send", room=talk.room, key=key, text="hi") == "forbidden"
    await client.cmd("room.join", room=talk.room)
    assert (await client.say(talk.room, "hi", key))["duplicate"] is False


@pytest.mark.parametrize(
    "fields",
    [
        {"text": ""},
        {"text": "x" * 20_000},
        {"text": "other"},
        {"reply_to": 999},
        {"attachments": ["none"]},
    ],
    ids=lambda fields: str(fields)[:24],
)
async def test_the_other_fields_of_a_retry_are_ignored(talk: Any, fields: dict[str, Any]) -> None:
    key = new_key()
    first = await talk.ana.say(talk.room, "once", key)
    again = {"room": talk.room, "key": key, "text": "once", **fields}
    assert await talk.ana.cmd("message.send", **again) == {**first, "duplicate": True}


async def test_an_update_that_changes_nothing_answers_with_the_event_that_made_it_so(
    talk: Any,
) -> None:
    update = {"room": talk.room}
    assert (await talk.ana.cmd("room.update", archived=False, **update))["event"] == 1
    named = (await talk.ana.cmd("room.update", name="Named", **update))["event"]
    topic = (await talk.ana.cmd("room.update", topic="What for", **update))["event"]
    assert topic > named
    again = await talk.ana.cmd("room.update", name="Named", **update)
    assert again["event"] == named
    both = await talk.ana.cmd("room.update", name="Named", topic="What for", **update)
    assert both["event"] == topic
    assert (await talk.ana.cmd("room.update", archived=False, **update))["event"] == 1


async def test_a_retried_edit_is_answered_after_archiving(talk: Any) -> None:
    seq = (await talk.ana.say(talk.room, "frist"))["seq"]
    edit = {"room": talk.room, "seq": seq}
    edited = await talk.ana.cmd("message.edit", text="first", **edit)
    await talk.ana.cmd("room.update", room=talk.room, archived=True)
    assert await talk.ana.cmd("message.edit", text="first", **edit) == edited
    assert await talk.ana.refused("message.edit", text="another", **edit) == "forbidden"
