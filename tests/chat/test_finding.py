"""The list of public rooms: what fits best comes first, and nothing hidden is in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.people import Person

PASSWORD = "a quiet warm room"


@pytest.fixture(scope="module")
def seeker(embedded: Server) -> Browser:
    embedded.createuser("seeker", password=PASSWORD)
    browser = Browser(embedded.url)
    browser.sign_in("seeker", PASSWORD)
    return browser


@pytest.fixture
async def me(seeker: Browser, embedded: Server) -> AsyncIterator[Client]:
    async with await Client.connect(
        embedded.ws, cookie=seeker.cookie, origin=seeker.origin
    ) as client:
        yield client


def find(browser: Browser, text: str, *, archived: bool = False) -> list[dict[str, Any]]:
    """The lines of the list."""
    answer = browser.get(f"/chat/-/rooms/?q={quote(text)}" + ("&archived=1" if archived else ""))
    assert answer.status == 200
    result = json.loads(answer.body)
    assert set(result) == {"rooms", "more"}
    rooms: list[dict[str, Any]] = result["rooms"]
    return rooms


async def test_a_line_says_what_one_needs_to_choose(
    seeker: Browser, ana: Person, bea: Person
) -> None:
    client, other = await ana.connect(), await bea.connect()
    room = await client.create("Quokka watching", members=[other.id])
    await client.cmd("room.update", room=room, topic="Where they are")
    (line,) = find(seeker, "quokka")
    assert line == {
        "room": room, "name": "Quokka watching", "topic": "Where they are",
        "members": 2, "archived": False,
    }  # fmt: skip
    await other.cmd("room.leave", room=room)
    assert find(seeker, "quokka")[0]["members"] == 1


async def test_what_fits_best_comes_first(seeker: Browser, ana: Person) -> None:
    client = await ana.connect()
    in_topic = await client.create("A zebu")
    await client.cmd("room.update", room=in_topic, topic="about the axolotl")
    within = await client.create("Bigaxolotl")
    word = await client.create("Cute axolotl")
    first = await client.create("Daxolotl")
    await client.cmd("room.update", room=first, name="Axolotl friends")
    found = [line["room"] for line in find(seeker, "AXOLOTL")]
    assert found == [first, word, within, in_topic]


async def test_rooms_are_found_by_address_in_every_script(seeker: Browser, ana: Person) -> None:
    client = await ana.connect()
    room = await client.create("ÑANDÚ Ágil")
    assert [line["room"] for line in find(seeker, "ñandú ág")] == [room]


@pytest.mark.parametrize("kind", ["private", "direct"])
async def test_hidden_rooms_are_not_found(
    seeker: Browser, ana: Person, bea: Person, kind: str
) -> None:
    client = await ana.connect()
    await client.create("Hidden wombat", kind, members=[(await bea.connect()).id])
    assert find(seeker, "wombat") == []


async def test_archived_rooms_are_found_when_asked_for(seeker: Browser, ana: Person) -> None:
    client = await ana.connect()
    old, new = await client.create("Tapir 1"), await client.create("Tapir 2")
    await client.cmd("room.update", room=old, archived=True)
    assert [line["room"] for line in find(seeker, "tapir")] == [new]
    lines = find(seeker, "tapir", archived=True)
    assert [(line["room"], line["archived"]) for line in lines] == [(new, False), (old, True)]


async def test_my_own_rooms_are_not_offered(seeker: Browser, me: Client, ana: Person) -> None:
    room = await (await ana.connect()).create("Okapi")
    assert [line["room"] for line in find(seeker, "okapi")] == [room]
    await me.cmd("room.join", room=room)
    assert find(seeker, "okapi") == []
    await me.cmd("room.leave", room=room)
    assert [line["room"] for line in find(seeker, "okapi")] == [room]


@pytest.mark.parametrize("text", ["%", "_", "\\", "!!!", "\0", "x" * 5_000])
def test_signs_find_no_more_than_they_should(seeker: Browser, text: str) -> None:
    lines = find(seeker, text)
    if text == "\0":
        return  # nothing asked for: the list as it is
    for line in lines:
        assert text in line["name"] or text in line["topic"]


def test_who_is_not_signed_in_finds_nothing(embedded: Server) -> None:
    answer = Browser(embedded.url).get("/chat/-/rooms/", follow=False)
    assert answer.status == 401
    assert json.loads(answer.body)["error"]["code"] == "unauthenticated"
