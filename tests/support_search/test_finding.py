"""Who finds what: texts, notes and visitors, as they are now, in inboxes that are one's own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.server import Server
from tests.support.shapes import check_error
from tests.support_desk.desk import Desk

from .conftest import found, marked, the_one

# Between others, so that an index that takes letters for other ones is seen.
SAID = {
    "The coffee machine is broken": ("coffee", "MACH cof", "broken the"),
    "¿Dónde está mi pedido de café?": ("donde pedido", "CAFÉ", "cafe"),
    "我想退款,谢谢": ("退款", "款", "谢谢"),
    "東京都に住んでいます": ("京都", "住んで"),
    "Straße 7, O'Neill & sons": ("strasse", "o'neill", "7 sons"),
    "Ёлка 🎄 у дома": ("елка", "🎄", "дом"),
    "안녕하세요 고객님": ("고객",),
}
# What means something to one of the databases, and nothing here.
ODD = [
    *('"', "'", "*", "a*", '"a', "a OR b", "a AND NOT b", "NEAR(a b)", "words:a", "-a", "^a", "(a"),
    *("a:*", "a & !b", "'a':*B", "a <-> b", "\\", "a\\'b", "%", "_", "$1", "{}", "%s", ";--"),
    *("\x00", "a\x00b", "🎉", "\u200b", "\ufeff", "\U0010ffff", "e\u0301", "ﷺ", "İ", "a " * 100),
    # A hundred words.
    " ".join(chr(0xAC00 + number) for number in range(100)),
    "東" * 200,
    "x" * 200,
]


async def test_texts_are_found_in_every_script(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor)
    for text in SAID:
        await visitor.say(room, text)
    for text, queries in SAID.items():
        for query in queries:
            told = await the_one(ana, query)
            assert told["conversation"]["room"] == room
            assert told["conversation"] == await desk.state(ana, room)
            assert told["found"]["text"] == text, query
            assert marked(told["found"]), query
            assert (told["found"]["room"], told["found"]["note"]) == (room, False)
            assert told["found"]["author"]["id"] == visitor.id
            assert told["visitor"] is None
    # All words in one place, each from its beginning.
    for query in ("coffee pedido", "achine", "退谢", "coffee tea"):
        assert await found(ana, query) == [], query


async def test_the_newest_hit_is_told_with_its_place(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "a refund please")
    later = await visitor.say(room, "So, about my **refund** " + "of it " * 100)
    await visitor.say(room, "hello?")
    told = (await the_one(ana, "refund"))["found"]
    assert (told["seq"], told["author"]["name"]) == (later["seq"], visitor.name)
    assert len(told["text"]) <= 200
    assert marked(told) == ["refund"]
    around = await ana.cmd("history.list", room=told["room"], around=told["seq"], limit=1)
    assert around["messages"][0]["sent_at"] == told["at"]


async def test_notes_are_found_by_agents_alone(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    said = await ana.say(notes, "A troublesome fellow")
    told = await the_one(ana, "troublesome")
    assert told["conversation"]["room"] == room
    assert (told["found"]["room"], told["found"]["note"], told["found"]["seq"]) == (
        *(notes, True),
        said["seq"],
    )
    assert await visitor.refused("conversation.search", query="troublesome") == "forbidden"
    assert await visitor.refused("conversation.search", query="hello") == "forbidden"


async def test_a_message_is_found_by_what_it_says_now(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    notes = (await desk.state(ana, room))["notes"]
    note = await ana.say(notes, "A strawberry")
    await ana.cmd("message.edit", room=notes, seq=note["seq"], text="A blackberry")
    assert await found(ana, "strawberry") == []
    assert await found(ana, "blackberry") == [room]
    await ana.cmd("message.edit", room=notes, seq=note["seq"], text="…")
    assert await found(ana, "blackberry") == []
    await ana.cmd("message.edit", room=notes, seq=note["seq"], text="A strawberry")
    said = await visitor.say(room, "A strawberry of mine")
    assert (await the_one(ana, "strawberry"))["found"]["note"] is False
    await ana.cmd("message.delete", room=room, seq=said["seq"])
    assert (await the_one(ana, "strawberry"))["found"]["note"] is True
    await ana.cmd("message.delete", room=notes, seq=note["seq"])
    assert await found(ana, "strawberry") == []


async def test_a_visitor_is_found_by_who_he_is_now(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "hello")
    assert await found(ana, visitor.name) == [room]

    def becomes(name: str, email: str) -> str:
        told = desk.shell(
            "from tertulia.support.visitors import *\n"
            f"present = Visitor.objects.get(participant__public_id={visitor.id!r})\n"
            f"identity = SignedIdentity('shop-4711', {name!r}, {email!r})\n"
            "print(visitor_token(visitor_for_identity(inbox, identity, present=present)))"
        )
        return told.split()[-1]

    becomes("Zoë Ångström", "zoe@example.org")
    for query in ("zoe", "ANGSTROM", "zoe@example.org", "shop-4711", "zo angs exam 471"):
        told = await the_one(ana, query)
        assert told["conversation"]["room"] == room, query
        assert told["found"] is None
        assert told["visitor"]["text"] == "Zoë Ångström · zoe@example.org · shop-4711"
    assert marked((await the_one(ana, "ang exam"))["visitor"]) == ["Ångström", "example"]
    token = becomes("Zelda", "zelda@example.net")
    assert await found(ana, "zoe") == []
    assert await found(ana, "zelda example net") == [room]
    # The administration has another name for him.
    desk.shell(
        f"one = Participant.objects.get(public_id={visitor.id!r})\none.name = 'Quentin'\none.save()"
    )
    assert await found(ana, "zelda@example.net") == [room]
    assert await found(ana, "quentin") == [room]
    # In a conversation that he begins afterwards, too; and beside what he has said.
    await ana.cmd("conversation.resolve", room=room)
    async with await Client.connect(desk.installation.here.ws, auth=token) as known:
        second = await desk.conversation(known, "Quentin is my name", new=True)
    assert await found(ana, "quentin") == [second, room]
    told = (await ana.cmd("conversation.search", query="quentin"))["results"][0]
    assert told["found"]["text"] == "Quentin is my name"
    assert told["visitor"]["text"].startswith("Quentin")


async def test_an_address_that_was_taken_away_finds_nobody(desk: Desk) -> None:
    """Also where it was changed without telling anybody, by the database's own means."""
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    mine = f"Visitor.objects.filter(participant__public_id={visitor.id!r})"
    desk.shell(f"one = {mine}.get()\none.email = 'secret@example.org'\none.save()")
    assert await found(ana, "secret@example.org") == [room]
    desk.shell(f"{mine}.update(email='')")
    assert await found(ana, "secret@example.org") == []
    # And where its owner wants no more mails nothing is kept of it.
    told = desk.shell(
        "from tertulia.support.mailing.links import Stop, digest_of\n"
        "from tertulia.support.mailing.wishes import stop\n"
        f"one = {mine}.get()\none.email = 'secret@example.org'\none.save()\n"
        f"mine = SearchText.objects.filter(conversation__room__slug={room!r}, seq=0)\n"
        "before = mine.get().words\n"
        f"stop(Stop({visitor.id!r}, inbox.public_id, digest_of('secret@example.org')))\n"
        "print('secret' in before, 'secret' in mine.get().words)"
    )
    assert told.split()[-2:] == ["True", "False"]


async def test_the_newest_come_first_of_any_status_and_by_pages(everywhere: Desk) -> None:
    desk = everywhere
    ana = await desk.agent(there=True)
    visitors = [await desk.visitor(number) for number in range(3)]
    rooms: list[str] = []
    for number in range(7):
        visitor = visitors[number % 3]
        room = await desk.conversation(visitor, f"parcel {number}", new=True)
        rooms.append(room)
        if number < 5:
            await ana.cmd("conversation.resolve", room=room)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await ana.cmd("conversation.snooze", room=rooms[6], until=until)
    rooms.reverse()
    assert await found(ana, "parcel") == rooms
    pages: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        page = await ana.cmd("conversation.search", query="parcel", cursor=cursor, limit=3)
        assert len(page["results"]) == size
        pages += [result["conversation"]["room"] for result in page["results"]]
        cursor = page["more"]
    assert cursor is None
    assert pages == rooms
    # What was said last decides, though it was something else.
    await ana.say(rooms[-1], "we found it")
    assert await found(ana, "parcel") == [rooms[-1], *rooms[:-1]]
    assert await found(ana, "parcel 3") == [rooms[3]]


async def test_only_in_inboxes_in_which_one_answers_now(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(there=True), await desk.agent("bea")
    foreign, stranger = await desk.agent("foreign", there=True), await desk.agent("stranger")
    room = await desk.conversation(visitor, "a hippopotamus")
    query = "hippopotamus"
    assert await found(ana, query) == await found(ana, query, inbox=desk.inbox) == [room]
    assert await ana.refused("conversation.search", query=query, inbox=desk.other) == "not_found"
    assert await ana.refused("conversation.search", query=query, inbox="nowhere") == "not_found"
    for other in (foreign, stranger):
        assert await found(other, query) == []
        refused = await other.refused("conversation.search", query=query, inbox=desk.inbox)
        assert refused == "not_found"
    name = bea.name
    desk.shell(f"Agent.objects.filter(inbox=inbox, participant__name={name!r}).delete()")
    assert await found(bea, query) == []
    await ana.cmd("conversation.transfer", room=room, inbox=desk.other)
    assert await found(ana, query) == []
    assert await found(foreign, query) == [room]


async def test_no_query_is_too_odd(everywhere: Desk) -> None:
    desk = everywhere
    visitor, ana = await desk.visitor(), await desk.agent(there=True)
    room = await desk.conversation(visitor, "quite ordinary")
    for query in ODD:
        page = await ana.cmd("conversation.search", query=query)
        assert isinstance(page["results"], list), query
        # Kept and found again, where it is a text that can be sent.
        await visitor.request("message.send", room=room, key=new_key(), text=query)
    for query in ('"quite"', "quite*", "(quite) -ordinary", "'quite':* & ordinary"):
        assert await found(ana, query) == [room], query
    for query in ("", " ", '"', "***", "\x00"):
        assert await ana.cmd("conversation.search", query=query) == {"results": [], "more": None}


async def test_a_query_that_is_too_long_is_refused_with_what_to_do(desk: Desk) -> None:
    ana = await desk.agent()
    for query in ("x" * 201, "🎉" * 201, "long " * 2_000):
        reply = await ana.request("conversation.search", query=query)
        error = check_error(reply, "invalid")
        assert error["field"] == "query"
        assert "200" in error["detail"]
        assert "leave out" in error["detail"]
    assert await found(ana, "🎉" * 200) == []
    for fields in ({"cursor": "x"}, {"cursor": "1-"}, {"limit": 0}, {"limit": 101}, {"query": 7}):
        assert await ana.refused("conversation.search", **{"query": "a", **fields}) == "invalid"


async def test_what_is_said_in_ordinary_rooms_is_not_kept_twice(desk: Desk) -> None:
    member, ana = await desk.agent("stranger"), await desk.agent()
    room = await member.create("Lobby of the desk")
    said = await member.say(room, "an ornithologist")
    await member.cmd("message.edit", room=room, seq=said["seq"], text="an ornithologist, too")
    assert await found(ana, "ornithologist") == []
    told = desk.shell("print(SearchText.objects.filter(words__contains='ornithologist').count())")
    assert told.split()[-1] == "0"


async def test_a_message_that_was_refused_is_not_found(desk: Desk) -> None:
    """It is written in the transaction of the message, or not at all."""
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello", "are you there?")
    reply = await ana.request("message.send", room=room, key=new_key(), text="a zeppelin", seen=1)
    assert not reply["ok"]
    assert await found(ana, "zeppelin") == []


@pytest.fixture(scope="module")
def limited() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.remove()


async def test_searching_has_a_rate_of_its_own(limited: Server) -> None:
    ((_, token),) = limited.people(1, batch=2)
    async with await Client.connect(limited.ws, token=token) as client:
        replies = [await client.request("conversation.search", query="a") for _ in range(45)]
        assert all(reply["ok"] for reply in replies[:30])
        refused = [reply for reply in replies if not reply["ok"]]
        assert refused
        assert check_error(refused[0], "rate_limited")["retry_after"] > 0
        await client.cmd("ping")
        await client.cmd("inbox.list")


MEANWHILE = """
import threading
from django.db import connection
from tertulia.support.search import index
words_of, ran = index.words_of, []
def slowly(text):
    if "unheard" in text and not ran:
        ran.append(1)
        visitor = Conversation.objects.get(room__slug={room!r}).client_id
        def write():
            index.write_visitor(connection, "newest name", client=visitor)
            connection.close()
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    return words_of(text)
index.words_of = slowly
index.rebuild(connection)
rows = SearchText.objects.filter(conversation__room__slug={room!r}).order_by("seq")
print(list(rows.values_list("words", flat=True)))
"""


@pytest.mark.parametrize("installation", ["scaled"], indirect=True)
async def test_what_is_written_while_the_index_is_made_anew_stays(everywhere: Desk) -> None:
    """On SQLite nobody else writes then."""
    desk = everywhere
    room = await desk.conversation(await desk.visitor(), "an unheard of word")
    told = desk.shell(MEANWHILE.format(room=room)).strip().splitlines()[-1]
    assert told == "['name newest', 'an of unheard word']"
