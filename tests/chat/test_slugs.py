"""The addresses of rooms: every script, folding, reserved words, lengths."""

from __future__ import annotations

import unicodedata
import urllib.parse

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.people import Person

NAMES = [
    "Lobby",
    "Café Central",
    "кофейня",
    "咖啡馆",
    "コーヒーハウス",
    "커피 하우스",
    "مقهى",
    "בית קפה",
    "कॉफी हाउस",
    "ร้านกาแฟ",
    "ΚΑΦΕΣ",
    "Straße 9",
    "ﬁnance ﬂow",
    "İstanbul",
    "𝔐𝔞𝔱𝔥",
    "Größe_und-Maß",
    "😀 only faces 😀",
    "…",
    "-- dash first",
    "_under",
    "a" * 200,
    "ẞ" * 80,
    "﷽" * 20,
    "  spaces   inside  ",
    "a/b?c=d&e#f%20",
    "<script>",
    "..",
    "٣ عرب",
]


def fold(slug: str) -> str:
    return unicodedata.normalize("NFKC", slug).casefold()


def check_slug(slug: str) -> None:
    assert 1 <= len(slug) <= 80
    assert slug[0].isalnum() or unicodedata.category(slug[0])[0] in "LN"
    for char in slug:
        assert char in "_-" or unicodedata.category(char)[0] in "LNM", (slug, char)
    assert slug not in ("socket", "room", "chat")


@pytest.mark.parametrize("name", NAMES, ids=[f"name-{n}" for n in range(len(NAMES))])
async def test_any_name_makes_an_address_that_works(ana: Person, name: str) -> None:
    client = await ana.connect()
    slug = await client.create(name)
    check_slug(slug)
    result = await client.subscribe(slug)
    assert result["state"]["name"] == name.strip()
    await client.say(slug, "hola")
    assert (await client.expect("message.created"))["room"] == slug


@pytest.mark.parametrize("word", ["socket", "room", "chat", "Socket", "ROOM", "ｃｈａｔ"])
async def test_reserved_words_are_no_addresses(ana: Person, word: str) -> None:
    slug = await (await ana.connect()).create(word)
    check_slug(slug)
    assert fold(slug) not in ("socket", "room", "chat")


async def test_a_taken_name_gets_a_suffix(ana: Person) -> None:
    client = await ana.connect()
    slugs = [await client.create(f"Popular {ana.name}") for _ in range(3)]
    assert len({fold(slug) for slug in slugs}) == 3
    for slug in slugs:
        check_slug(slug)


async def test_names_that_fold_alike_get_different_addresses(ana: Person) -> None:
    client = await ana.connect()
    names = ["STRASSE", "straße", "Strasse", "ｓｔｒａｓｓｅ"]
    slugs = [await client.create(f"{name} {ana.name}") for name in names]
    assert len({fold(slug) for slug in slugs}) == len(names)


@pytest.mark.parametrize("change", [str.upper, str.title, lambda s: s.replace("a", "ａ")])
async def test_addresses_that_fold_alike_are_the_same_room(ana: Person, change: object) -> None:
    client = await ana.connect()
    slug = await client.create(f"Plaza {ana.name}")
    await client.say(slug, "one room")
    other = change(slug)  # type: ignore[operator]
    assert other != slug
    result = await client.cmd("room.subscribe", room=other)
    assert result["state"]["room"] == slug
    assert [m["text"] for m in result["messages"]] == ["one room"]


async def test_events_name_the_room_by_its_own_slug(ana: Person) -> None:
    client = await ana.connect()
    slug = await client.create(f"Casa {ana.name}")
    await client.cmd("room.subscribe", room=slug.upper())
    await client.say(slug.upper(), "hola")
    assert (await client.expect("message.created"))["room"] == slug


# On a playground the visitor names the address himself.


@pytest.mark.parametrize(
    "slug", ["lobby", "a", "7", "a" * 80, "咖啡馆", "кофе-1", "مقهى_2", "नमस्ते", "x-_-x"]
)
async def test_a_playground_makes_any_fitting_address(playground: Server, slug: str) -> None:
    async with await Client.connect(playground.ws) as guest:
        result = await guest.cmd("room.subscribe", room=slug)
        assert fold(result["state"]["room"]) == fold(slug)


@pytest.mark.parametrize(
    "slug",
    [
        "a" * 81,
        "-a",
        "_a",
        "",
        "a b",
        "a/b",
        "a.b",
        "socket",
        "ROOM",
        "chat",
        "💬",
        "a\u202eb",
        "a%",
    ],
)
async def test_a_playground_makes_no_other_address(playground: Server, slug: str) -> None:
    async with await Client.connect(playground.ws) as guest:
        assert await guest.refused("room.subscribe", room=slug) in ("not_found", "invalid")


def test_a_page_of_a_room_in_any_script(playground: Server) -> None:
    assert playground.status("/chat/" + urllib.parse.quote("咖啡馆-página") + "/") == 200


@pytest.mark.parametrize("slug", ["a" * 81, "_a", "a.b", "socket", "%00", "%FF"])
def test_a_page_of_no_room_is_not_found(playground: Server, slug: str) -> None:
    assert playground.status(f"/chat/{slug}/") in (400, 404)
