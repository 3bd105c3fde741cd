"""What the administration does through one process is heard at once by the sockets of another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tests.support.administration import Staff
from tests.support.people import Person


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


@pytest.fixture(scope="module")
def root(installation: Installation) -> Staff:
    return Staff.made(installation.here, {"Everywhere": None})["Everywhere"]


async def test_a_removed_member_hears_nothing_more_and_a_closed_account_is_put_out(
    installation: Installation, root: Staff, ana: Person, bea: Person
) -> None:
    first = await ana.connect()
    second = await bea.connect(installation.there.ws, token=bea.token)
    room = await first.create("Among us", "private", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    key = await asyncio.to_thread(root.find, "membership", room=room, person=second.id)

    talking = asyncio.create_task(talk(first, room))
    await root.acts("membership", key, "delete_selected")
    removal = await first.expect("member.left")
    talking.cancel()
    for number in range(20):
        await first.say(room, f"not for {second.name}, {number}")
    await second.expect("room.left", room=room)
    await second.silence(lambda frame: frame.get("seq", 0) > removal["seq"])
    assert "not for" not in json.dumps(second.frames)
    assert removal["actor"]["name"] == root.name
    assert await second.refused("history.list", room=room, after=0) == "not_found"

    person = await asyncio.to_thread(root.find, "participant", q=second.id)
    await root.acts("participant", person, "deactivate")
    assert (await second.closing(2)).code == 4401


async def talk(client: Client, room: str) -> None:
    """Somebody who goes on talking meanwhile."""
    number = 0
    while True:
        number += 1
        await client.say(room, f"{number}")
