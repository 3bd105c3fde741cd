"""Many messages at once: they share statements, and each is answered as if it were alone."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

from tertulia.chat.sql import sqlite
from tertulia.testing.client import Client, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support.people import Person

# What an intermediate form might lose: signs of SQL, JSON and formats, the ends of the planes,
# characters of two, three and four bytes, what joins, what turns, and every control but NUL.
ODD = [
    "'; DROP TABLE tertulia_chat_message; --",
    '"quoted" \\ back\\slash \\n \\u0041 \\\\',
    '{"seq": 1, "text": null}',
    "[1, 2, null]",
    "?1 ?, %s %(x)s %% {rows} {0} $1 :name @name",
    "null",
    "0",
    "1e5",
    "0x10",
    "\ttab, line\nfeed, carriage\r\nreturn\rand more  ",
    "é ü ñ ß ǆ",
    "e\u0301 and é are two texts",
    "漢字 かな 한글",
    "😀👩‍👩‍👧‍👦🏳️‍🌈 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "\u202eturned\u202c \u2066isolated\u2069 שלום مرحبا",
    "\u2028line and \u2029paragraph \u0085next",
    "\ufeff \ufffd \uffff \U0010ffff \ue000 \U000f0000",
    "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f.",
    "😀" * 10_000,
    "'" * 10_000,
]


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    """People of this installation."""
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


@contextmanager
def writing_held(server: Server) -> Iterator[None]:
    """Nobody else can write meanwhile: what is sent waits, and is one batch afterwards."""
    with sqlite3.connect(server.database_file(), isolation_level=None, timeout=20) as held:
        held.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            held.execute("ROLLBACK")
    held.close()


async def send_all(client: Client, frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All at once, in this order; the replies in the same order."""
    return list(
        await asyncio.gather(*(client.request("message.send", **frame) for frame in frames))
    )


async def test_texts_are_kept_as_they_were_written(ana: Person) -> None:
    client = await ana.connect()
    room = await client.create("Odd texts")
    frames = [{"room": room, "key": new_key(), "text": text} for text in ODD]
    replies = await send_all(client, frames)
    assert [reply["ok"] for reply in replies] == [True] * len(ODD)
    page = await client.cmd("history.list", room=room, limit=100)
    assert [message["text"] for message in page["messages"]] == ODD
    assert [message["key"] for message in page["messages"]] == [each["key"] for each in frames]


async def test_what_is_refused_harms_nothing_else_of_its_batch(ana: Person) -> None:
    client = await ana.connect()
    room, other = await client.create("One"), await client.create("Another")
    key = new_key()
    frames = [
        {"room": room, "key": key, "text": "first"},
        {"room": room, "key": new_key(), "text": " \t\u200b"},
        {"room": other, "key": key, "text": "the same key in another room"},
        {"room": room, "key": new_key(), "text": "x" * 10_001},
        {"room": room, "key": key.upper(), "text": "the same key again"},
        {"room": "nowhere-" + key, "key": new_key(), "text": "nowhere"},
        {"room": room, "key": new_key(), "text": "nul \x00"},
        {"room": room, "key": new_key(), "text": "answers nothing", "reply_to": 2**40},
        {"room": other, "key": new_key(), "text": "last"},
        {"room": room, "key": new_key(), "text": "last"},
    ]
    replies = await send_all(client, frames)
    codes = [reply["ok"] or reply["error"]["code"] for reply in replies]
    assert codes == [
        *(True, "invalid", "conflict", "too_large", True),
        *("not_found", "invalid", "invalid", True, True),
    ]
    first, again = replies[0]["result"], replies[4]["result"]
    assert again == {**first, "duplicate": True}
    pages = [await client.cmd("history.list", room=each) for each in (room, other)]
    assert [[m["text"] for m in page["messages"]] for page in pages] == [
        ["first", "last"],
        ["last"],
    ]
    assert replies[9]["result"]["seq"] == first["seq"] + 1


@pytest.mark.parametrize("size", [1, 2, 3, 63, 64, 65, 200])
async def test_a_batch_of_any_size_is_one_order_in_each_room(embedded: Server, size: int) -> None:
    async with AsyncExitStack() as stack:
        client = await Person.new(embedded, stack).connect()
        rooms = [await client.create(f"Room {number}") for number in range(3)]
        with writing_held(embedded):
            # The writing thread takes the first and waits; the others are the batch.
            texts = [f"{number}" for number in range(size + 1)]
            frames = [
                {"room": rooms[int(text) % 3], "key": new_key(), "text": text} for text in texts
            ]
            sent = asyncio.ensure_future(send_all(client, frames))
            await client.cmd("ping")
        replies = await sent
        assert all(reply["ok"] for reply in replies)
        for number, room in enumerate(rooms):
            mine = texts[number::3]
            seqs = [reply["result"]["seq"] for reply in replies[number::3]]
            assert seqs == list(range(2, 2 + len(mine)))
            if not mine:
                continue
            messages = (await client.cmd("history.list", room=room, limit=100))["messages"]
            assert [message["text"] for message in messages] == mine
            assert [message["number"] for message in messages] == [
                *range(1, 1 + len(mine)),
            ]


async def test_everybody_has_read_what_he_said_himself(ana: Person, bea: Person) -> None:
    first, second = await ana.connect(), await bea.connect()
    room = await first.create("Both talk")
    await second.cmd("room.join", room=room)
    await asyncio.gather(
        *(
            client.say(room, f"@{other.name} {number}")
            for number in range(20)
            for client, other in ((first, bea), (second, ana))
        )
    )
    for client in (first, second):
        last = await client.say(room, "the last word")
        (mine,) = [
            each for each in (await client.cmd("room.list"))["rooms"] if each["room"] == room
        ]
        assert (mine["read"], mine["unread"], mine["mentions"]) == (last["seq"], 0, 0)


def _statements() -> list[str]:
    return [name for name in vars(sqlite) if re.fullmatch(r"_[A-Z]+_[A-Z]+", name)]


@pytest.mark.parametrize("name", _statements())
def test_no_statement_reads_a_whole_table(embedded: Server, name: str) -> None:
    """SQLite has no statistics here, and a scan of all messages for each batch went unseen."""
    statement = getattr(sqlite, name)
    with sqlite3.connect(embedded.database_file(), timeout=20) as database:
        for size, text in statement._texts.items():
            values = [None] * (len(statement._filling) * size)
            plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values)]
            assert plan
            assert not [step for step in plan if re.match(r"SCAN (tertulia|m\b|r\b)", step)]
    database.close()
