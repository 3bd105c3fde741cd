"""A room that somebody else's transaction holds: what pages and a host's own calls are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.client import Client
from tertulia.testing.installation import Installation
from tests.support.browser import Browser
from tests.support.people import Person

from .test_host import LOCK_ROOM, held, shell

PASSWORD = "a quiet warm room"


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
