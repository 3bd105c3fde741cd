"""A room that somebody else's transaction holds: what pages and a host's own calls are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.installation import Installation
from tests.support.browser import Browser
from tests.support.people import Person

from .test_host import LOCK_ROOM, held, shell

PASSWORD = "a quiet warm room"
# More than a process waits for at the same time.
HELD = 6


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_a_host_is_told_of_a_held_room_by_djangos_error(
    installation: Installation, ana: Person
) -> None:
    room = await (await ana.connect()).create("Held")
    with held(installation, LOCK_ROOM, room):
        said = await shell(
            installation,
            "from django.db import OperationalError, connection\n"
            "with transaction.atomic():\n"
            "    connection.cursor().execute('SET LOCAL lock_timeout = 100')\n"
            "    try:\n"
            f"        post('{room}', user('{ana.name}'), 'patience')\n"
            "    except OperationalError as error:\n"
            "        print('held', error.__cause__.sqlstate)\n",
        )
    assert said.split()[-2:] == ["held", "55P03"]


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_a_page_answers_unavailable_for_a_room_that_is_held_too_long(
    installation: Installation,
) -> None:
    browser = Browser(installation.here.url)
    form = {"username": "patient", "password1": PASSWORD, "password2": PASSWORD}
    await asyncio.to_thread(browser.submit, "/accounts/signup/", form)
    doors = installation.here.ws
    async with await Client.connect(doors, cookie=browser.cookie, origin=browser.origin) as client:
        room = await client.create("Held", "private")
        path, csrf = f"/chat/-/rooms/{room}/invitations/", browser.cookies["csrftoken"]
        with held(installation, LOCK_ROOM, room):
            answer = await asyncio.to_thread(
                browser.request, "POST", path, headers={"X-CSRFToken": csrf}, follow=False
            )
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_however_many_rooms_are_held_the_others_go_on(
    installation: Installation, people: Callable[..., Person]
) -> None:
    """A room that both processes write to is often held for a moment by the other one."""
    doors = [installation.here.ws, installation.there.ws]
    ana = people()
    clients = [await ana.connect(doors[n % 2], token=ana.token) for n in range(4)]
    rooms = [await clients[0].create(f"Held {n}") for n in range(HELD)]
    busy = await clients[0].create("Busy")

    refused = dict.fromkeys(rooms, 0)

    async def insist(client: Client, room: str) -> None:
        while True:
            await client.request("message.send", room=room, key=new_key(), text="x", seconds=60)
            refused[room] += 1

    with ExitStack() as stack:
        for room in rooms:
            stack.enter_context(held(installation, LOCK_ROOM, room))
        tasks = [
            asyncio.create_task(insist(client, room)) for client in clients[:2] for room in rooms
        ]
        # All lanes of both processes wait by now.
        await asyncio.sleep(1)
        for number in range(40):
            await asyncio.gather(*(client.say(busy, f"{number}") for client in clients))
        for task in tasks:
            assert not task.done()
            task.cancel()
    # Each refusal is five seconds: what goes on here is done in the first few.
    assert max(refused.values()) <= 2 * 5


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_what_is_behind_a_refused_send_is_refused_too(
    installation: Installation, ana: Person
) -> None:
    """So that trying again keeps the order."""
    client = await ana.connect()
    room = await client.create("Held")
    keys = [new_key() for _ in range(4)]
    with held(installation, LOCK_ROOM, room):
        first = asyncio.create_task(
            client.request("message.send", room=room, key=keys[0], text="0", seconds=20)
        )
        await asyncio.sleep(1)
        rest = [
            asyncio.create_task(
                client.request("message.send", room=room, key=key, text="x", seconds=20)
            )
            for key in keys[1:]
        ]
        assert (await first)["error"]["code"] == "unavailable"
    assert [(await one)["error"]["code"] for one in rest] == ["unavailable"] * 3
    seqs = [(await client.cmd("message.send", room=room, key=key, text="x"))["seq"] for key in keys]
    assert seqs == sorted(seqs)


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_a_mark_in_a_held_room_holds_up_no_other_room(
    installation: Installation, ana: Person
) -> None:
    client = await ana.connect()
    room, other = await client.create("Held"), await client.create("Free")
    with held(installation, LOCK_ROOM, room):
        mark = asyncio.create_task(client.request("read.mark", room=room, seq=1, seconds=20))
        await asyncio.sleep(0.5)
        await client.subscribe(other)
        await client.cmd("room.list")
        # It waits still: what came behind it was answered before.
        assert not mark.done()
    await mark
