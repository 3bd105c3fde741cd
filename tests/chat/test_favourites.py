"""Favourites: a member's own mark on a room, the same on all his devices."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia.testing.client import Client
from tests.support.people import Person


async def favourites(client: Client) -> dict[str, bool]:
    """What room.list says of each of my rooms."""
    rooms = (await client.cmd("room.list", limit=100))["rooms"]
    return {state["room"]: state["favourite"] for state in rooms}


async def test_a_room_is_made_a_favourite_and_is_one_no_longer(talk: Any) -> None:
    assert await favourites(talk.bea) == {talk.room: False}
    for favourite in (True, True, False, False):
        result = await talk.bea.cmd("room.favourite", room=talk.room, favourite=favourite)
        assert result == {}
        assert await favourites(talk.bea) == {talk.room: favourite}


async def test_it_is_my_own_matter(talk: Any) -> None:
    await talk.bea.cmd("room.favourite", room=talk.room, favourite=True)
    assert await favourites(talk.ana) == {talk.room: False}
    await talk.ana.silence(lambda frame: frame["type"] == "favourite.changed")
    # Nothing was appended: the next event has the next seq.
    assert (await talk.ana.say(talk.room, "next"))["seq"] == 3


async def test_my_other_devices_hear_of_it_once(talk: Any, bea: Person) -> None:
    device = await bea.connect()
    await talk.bea.cmd("room.favourite", room=talk.room, favourite=True)
    event = await device.expect("favourite.changed")
    assert event == {"type": "favourite.changed", "room": talk.room, "favourite": True}
    await talk.bea.cmd("room.favourite", room=talk.room, favourite=True)
    await device.silence(lambda frame: frame["type"] == "favourite.changed")
    await talk.bea.silence(lambda frame: frame["type"] == "favourite.changed", 0.1)


@pytest.mark.parametrize("role", ["owner", "moderator", "member"])
@pytest.mark.parametrize("kind", ["public", "private", "direct"])
async def test_every_member_may(ana: Person, bea: Person, kind: str, role: str) -> None:
    owner, other = await ana.connect(), await bea.connect()
    room = await owner.create("Dear", kind, members=[other.id])
    if role == "moderator":
        await owner.cmd("member.role", room=room, member=other.id, role="moderator")
    client = owner if role == "owner" else other
    await client.cmd("room.favourite", room=room, favourite=True)
    assert await favourites(client) == {room: True}


@pytest.mark.parametrize(
    ("kind", "code"), [("public", "forbidden"), ("private", "not_found"), ("direct", "not_found")]
)
async def test_nobody_else_may(ana: Person, bea: Person, eve: Person, kind: str, code: str) -> None:
    owner, other, stranger = await ana.connect(), await bea.connect(), await eve.connect()
    room = await owner.create("Dear", kind, members=[other.id])
    assert await stranger.refused("room.favourite", room=room, favourite=True) == code
    await other.cmd("room.leave", room=room)
    assert await other.refused("room.favourite", room=room, favourite=True) == code


async def test_an_archived_room_may_be_one(talk: Any) -> None:
    await talk.ana.cmd("room.update", room=talk.room, archived=True)
    await talk.bea.cmd("room.favourite", room=talk.room, favourite=True)
    assert await favourites(talk.bea) == {talk.room: True}


async def test_a_wrong_value_is_invalid(talk: Any) -> None:
    reply = await talk.bea.request("room.favourite", room=talk.room, favourite="yes")
    assert (reply["error"]["code"], reply["error"]["field"]) == ("invalid", "favourite")
