"""The classic protocol: its frames, its addresses, and its rooms shared with protocol 1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.client import Closed
from tests.support.classic import FORMS, ClassicClient
from tests.support.people import Person
from tests.support.shapes import is_time

Enter = Callable[..., Any]


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """`await enter(person, room, form=…, query=…)`: a classic connection, closed at the end."""
    async with AsyncExitStack() as stack:

        async def connect(person: Person, room: str, **how: Any) -> ClassicClient:
            how = {"token": person.token, **how}
            client = await ClassicClient.connect(person.server.ws, room, **how)
            return await stack.enter_async_context(client)

        yield connect


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "frame",
    [
        {"message": "hola"},
        {"type": "chat_message", "message": "hola"},
        {"message": "hola", "username": "somebody else", "room": "elsewhere", "extra": [1]},
    ],
    ids=["message", "chat_message", "further fields"],
)
async def test_what_goes_in_comes_out(
    talk: Any, bea: Person, enter: Enter, form: str, frame: dict[str, Any]
) -> None:
    client = await enter(bea, talk.room, form=form)
    await client.send(frame)
    heard = await client.next()
    assert set(heard) == {"type", "message", "username", "room", "seq", "sent_at"}
    assert heard["type"] == "chat_message"
    assert (heard["message"], heard["username"], heard["room"]) == ("hola", bea.name, talk.room)
    assert heard["seq"] == 3
    assert is_time(heard["sent_at"])


async def test_everyone_hears_the_sender_too(
    talk: Any, ana: Person, bea: Person, enter: Enter
) -> None:
    first, second = await enter(ana, talk.room), await enter(bea, talk.room, form=FORMS[4])
    await first.say("one")
    await second.say("two")
    # Which of two senders comes first is the log's business; both hear the same order.
    heard = [await client.next() for client in (first, first)]
    assert [await client.next() for client in (second, second)] == heard
    assert sorted(frame["message"] for frame in heard) == ["one", "two"]


async def test_classic_messages_are_ordinary_messages(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    await client.say("from the tutorial")
    heard = await client.next()
    event = await talk.ana.expect("message.created")
    assert event["seq"] == heard["seq"]
    assert event["message"]["text"] == "from the tutorial"
    assert event["message"]["sent_at"] == heard["sent_at"]
    assert event["actor"]["name"] == bea.name
    page = await talk.ana.cmd("history.list", room=talk.room, after=0)
    assert page["messages"] == [event["message"]]


async def test_protocol_1_is_heard_by_classic_clients(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    sent = await talk.ana.say(talk.room, "hola **tutorial**")
    heard = await client.hears("hola **tutorial**")
    assert (heard["seq"], heard["username"]) == (sent["seq"], talk.ana.name)


async def test_with_echo_off_one_does_not_hear_oneself(
    talk: Any, ana: Person, bea: Person, enter: Enter
) -> None:
    quiet = await enter(bea, talk.room, query="?echo=0")
    other = await enter(bea, talk.room)
    await quiet.say("mine")
    await other.hears("mine")
    await other.say("of my other connection")
    await quiet.hears("of my other connection")
    await talk.ana.say(talk.room, "of somebody else")
    await quiet.hears("of somebody else")


async def test_other_events_are_not_shown(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    sent = await talk.ana.say(talk.room, "seen")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.ana.cmd("message.edit", **fields, text="changed")
    await talk.ana.cmd("reaction.add", **fields, emoji="👍")
    await talk.ana.cmd("message.delete", **fields)
    await talk.ana.cmd("room.update", room=talk.room, topic="x")
    await talk.ana.cmd("typing.start", room=talk.room)
    await client.hears("seen")
    await client.silence()


async def test_a_resend_is_a_second_message(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    await client.say("twice")
    await client.say("twice")
    first, second = await client.hears("twice"), await client.hears("twice")
    assert second["seq"] == first["seq"] + 1


@pytest.mark.parametrize(
    "frame",
    [
        "hola",
        "",
        "{",
        "[]",
        "null",
        "7",
        '"message"',
        "{}",
        '{"text":"hola"}',
        '{"message":null}',
        '{"message":5}',
        '{"message":["hola"]}',
        '{"message":{"a":1}}',
        '{"message":""}',
        '{"message":"  \\n "}',
        '{"message":"a\\u0000b"}',
        '{"message":"\\ud800"}',
        '{"message":NaN}',
        '{"type":"chat_message"}',
        "[" * 10_000,
    ],
    ids=lambda text: text[:24] or "empty",
)
async def test_bad_input_is_told_and_the_connection_stays(
    talk: Any, bea: Person, enter: Enter, frame: str
) -> None:
    client = await enter(bea, talk.room)
    await client.send(frame)
    error = await client.next()
    assert set(error) == {"type", "code", "detail"}
    assert (error["type"], error["code"]) == ("error", "invalid")
    await client.say("still here")
    await client.hears("still here")


async def test_a_text_that_is_too_long_is_told(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    await client.say("x" * 10_001)
    error = await client.next()
    assert (error["type"], error["code"]) == ("error", "too_large")
    assert "message" not in error


async def test_a_binary_frame_makes_no_message(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room)
    await client.send(b'{"message":"hola"}')
    try:
        frame = await client.next(2)
        assert frame["type"] == "error"
    except (Closed, TimeoutError):
        pass
    page = await talk.ana.cmd("history.list", room=talk.room, after=0)
    assert page["messages"] == []


async def test_the_first_message_joins_a_public_room(talk: Any, eve: Person, enter: Enter) -> None:
    client = await enter(eve, talk.room)
    members = (await talk.ana.cmd("member.list", room=talk.room))["members"]
    assert eve.name not in [m["name"] for m in members]
    await client.say("may I?")
    await client.hears("may I?")
    joined = await talk.ana.expect("member.joined")
    assert joined["member"]["name"] == eve.name
    event = await talk.ana.expect("message.created")
    assert event["seq"] == joined["seq"] + 1


@pytest.mark.parametrize("room", ["no-such-room", "a\x00b", "a b", "x" * 300, "💬", "a.b"])
async def test_no_such_room_closes_with_4404(ana: Person, enter: Enter, room: str) -> None:
    client = await enter(ana, room)
    assert (await client.closing()).code == 4404


async def test_a_private_room_is_no_room_for_strangers(
    private: Any, eve: Person, enter: Enter
) -> None:
    client = await enter(eve, private.room)
    assert (await client.closing()).code == 4404


async def test_members_of_a_private_room_may_enter(private: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, private.room)
    await private.ana.say(private.room, "psst")
    await client.hears("psst")


async def test_removal_ends_a_classic_connection_to_a_private_room(
    private: Any, bea: Person, enter: Enter
) -> None:
    client = await enter(bea, private.room)
    await client.say("hola")
    await client.hears("hola")
    await private.ana.cmd("member.remove", room=private.room, member=private.bea.id)
    await private.ana.say(private.room, "without Bea")
    assert (await client.closing()).code == 4404


async def test_a_wrong_token_is_closed_with_4401(talk: Any, bea: Person, enter: Enter) -> None:
    client = await enter(bea, talk.room, token="wrong")
    assert (await client.closing()).code == 4401


async def test_a_room_is_found_by_any_form_of_its_slug(
    talk: Any, bea: Person, enter: Enter
) -> None:
    client = await enter(bea, talk.room.upper())
    await client.say("same room")
    assert (await client.hears("same room"))["room"] == talk.room


async def test_classic_connections_get_no_other_frames(
    talk: Any, bea: Person, enter: Enter
) -> None:
    """No welcome, no presence, no history: only what is said from now on."""
    await talk.ana.say(talk.room, "before")
    client = await enter(bea, talk.room)
    await client.silence(1.2)


async def test_many_classic_clients_hear_everything_in_one_order(
    talk: Any, ana: Person, bea: Person, enter: Enter
) -> None:
    clients = [await enter(person, talk.room) for person in (ana, bea) for _ in range(5)]
    for number in range(10):
        await asyncio.gather(*(client.say(f"{number}") for client in clients))
    heard = [[(await client.next())["seq"] for _ in range(100)] for client in clients]
    assert all(seqs == list(range(3, 103)) for seqs in heard)
