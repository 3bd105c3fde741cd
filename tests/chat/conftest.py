"""People in rooms, ready to talk."""

from __future__ import annotations

import pytest

from tests.support.client import Client
from tests.support.people import Person


class Talk:
    """A room that Ana made and Bea joined, both connected and subscribed."""

    def __init__(self, room: str, ana: Client, bea: Client) -> None:
        self.room = room
        self.ana = ana
        self.bea = bea


@pytest.fixture
async def talk(ana: Person, bea: Person) -> Talk:
    """A public room with two members."""
    first, second = await ana.connect(), await bea.connect()
    room = await first.create(f"Talk of {ana.name}")
    await second.cmd("room.join", room=room)
    await first.subscribe(room)
    await second.subscribe(room)
    return Talk(room, first, second)


@pytest.fixture
async def private(ana: Person, bea: Person) -> Talk:
    """A private room with two members."""
    first, second = await ana.connect(), await bea.connect()
    room = await first.create(f"Secret of {ana.name}", "private", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    return Talk(room, first, second)
