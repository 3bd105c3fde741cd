"""The same promises on every database and layer, and across processes.

`here` and `there` are two processes of one installation where there are two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.installation import Installation
from tertulia.testing.stored import read_logs
from tertulia.testing.view import comparable
from tertulia.testing.workload import read_whole
from tests.support.browser import Browser
from tests.support.classic import ClassicClient
from tests.support.people import Person
from tests.support.shapes import check_event, check_subscribed


@pytest.fixture
async def people(installation: Installation) -> AsyncIterator[Callable[..., Person]]:
    """People of this installation; they connect to `here` unless told otherwise."""
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(installation.here, stack)


class Apart:
    """Ana here and Bea there, both members of one room and subscribed."""

    def __init__(self, room: str, ana: Client, bea: Client) -> None:
        self.room = room
        self.ana = ana
        self.bea = bea


@pytest.fixture
async def apart(installation: Installation, ana: Person, bea: Person) -> Apart:
    first, second = await ana.connect(), await bea.connect(installation.there.ws, token=bea.token)
    room = await first.create("Apart", "private", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    return Apart(room, first, second)


async def test_a_message_reaches_the_other_process(apart: Apart) -> None:
    sent = await apart.ana.say(apart.room, "hola")
    event = await apart.bea.expect("message.created")
    check_event(event)
    assert (event["seq"], event["message"]["text"]) == (sent["seq"], "hola")
    await apart.bea.say(apart.room, "buenas")
    view = await apart.ana.reached(apart.room, sent["seq"] + 1)
    assert view.texts() == ["hola", "buenas"]


async def test_both_processes_show_one_order_without_gap_or_repetition(apart: Apart) -> None:
    async def write(client: Client, name: str) -> None:
        await asyncio.gather(*(client.say(apart.room, f"{name} {n}") for n in range(100)))

    await asyncio.gather(write(apart.ana, "ana"), write(apart.bea, "bea"))
    views = [await client.reached(apart.room, 202) for client in (apart.ana, apart.bea)]
    assert views[0].messages == views[1].messages
    for name in ("ana", "bea"):
        mine = [text for text in views[0].texts() if text.startswith(name)]
        assert mine == [f"{name} {n}" for n in range(100)]


async def test_all_kinds_of_events_cross(apart: Apart) -> None:
    sent = await apart.ana.say(apart.room, "first")
    fields = {"room": apart.room, "seq": sent["seq"]}
    await apart.bea.cmd("reaction.add", **fields, emoji="👍")
    await apart.ana.cmd("message.edit", **fields, text="second")
    await apart.bea.cmd("reaction.remove", **fields, emoji="👍")
    await apart.ana.cmd("room.update", room=apart.room, topic="crossing")
    await apart.ana.cmd("message.delete", **fields)
    await apart.ana.reached(apart.room, sent["seq"] + 5)
    await apart.bea.reached(apart.room, sent["seq"] + 5)
    assert apart.ana.views[apart.room].events == apart.bea.views[apart.room].events


async def test_the_same_key_at_two_processes_at_once_is_one_message(apart: Apart) -> None:
    """Ten sends of the same person and key, half of them through each process."""
    ana = apart.ana.welcome["me"]["id"]
    key = new_key()
    first = await asyncio.gather(*(apart.ana.say(apart.room, "once", key) for _ in range(10)))
    assert len({reply["seq"] for reply in first}) == 1
    assert ana == apart.ana.id


async def test_one_person_at_two_processes_with_one_key(
    installation: Installation, ana: Person
) -> None:
    here, there = await ana.connect(), await ana.connect(installation.there.ws, token=ana.token)
    room = await here.create("One key")
    for _ in range(10):
        key = new_key()
        replies = await asyncio.gather(
            *(client.say(room, "once", key) for client in (here, there) for _ in range(5))
        )
        assert len({reply["seq"] for reply in replies}) == 1
        assert sum(not reply["duplicate"] for reply in replies) == 1
    assert len(await read_whole(here, room)) == 10


async def test_a_resume_at_the_other_process(
    installation: Installation, apart: Apart, bea: Person
) -> None:
    view = apart.bea.views[apart.room]
    await apart.bea.vanish()
    for number in range(5):
        await apart.ana.say(apart.room, f"missed {number}")
    client = await bea.connect(installation.here.ws, token=bea.token)
    await client.resume(apart.room, view)
    assert client.views[apart.room].texts() == [f"missed {n}" for n in range(5)]


async def test_a_snapshot_is_the_same_everywhere(apart: Apart) -> None:
    for number in range(3):
        await apart.ana.say(apart.room, f"{number}")
    results = [await c.cmd("room.subscribe", room=apart.room) for c in (apart.ana, apart.bea)]
    for result in results:
        check_subscribed(result)
    assert results[0]["messages"] == results[1]["messages"]
    assert results[0]["head"] == results[1]["head"]


async def test_removal_here_ends_events_there(apart: Apart) -> None:
    fields = {"room": apart.room, "member": apart.bea.id}
    removal = (await apart.ana.cmd("member.remove", **fields))["event"]
    await asyncio.gather(*(apart.ana.say(apart.room, f"{n}") for n in range(50)))
    await apart.bea.expect("room.left")
    await apart.bea.silence(lambda f: f.get("seq", 0) > removal)
    assert max((e["seq"] for e in apart.bea.events), default=0) <= removal
    assert await apart.bea.refused("history.list", room=apart.room, after=0) == "not_found"


async def test_typing_and_presence_cross(
    installation: Installation, ana: Person, bea: Person
) -> None:
    first = await ana.connect()
    second = await bea.connect(installation.there.ws, token=bea.token)
    room = await first.create("Seen from afar", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    for client in (first, second):
        await client.find(
            lambda f: (
                f["type"] == "presence.changed"
                and {p["id"] for p in f["here"]} == {first.id, second.id}
            ),
            what="presence of both",
        )
    await first.cmd("typing.start", room=room)
    assert (await second.expect("typing.started"))["who"]["id"] == first.id
    await second.close()
    await first.find(
        lambda f: f["type"] == "presence.changed" and [p["id"] for p in f["here"]] == [first.id],
        what="presence of one",
    )


async def test_activity_entering_and_marks_cross(
    installation: Installation, ana: Person, bea: Person
) -> None:
    first = await ana.connect()
    second = await bea.connect(installation.there.ws, token=bea.token)
    tab = await bea.connect()
    room = await first.create("News", "private", members=[second.id])
    for client in (second, tab):
        await client.expect("room.entered", room=room)
    sent = await first.say(room, f"@{second.name} hola")
    activity = await second.expect("room.activity", room=room, head=sent["seq"])
    assert activity["mentioned"] == [second.id]
    await second.cmd("read.mark", room=room, seq=sent["seq"])
    assert (await tab.expect("read.changed", room=room))["read"] == sent["seq"]


async def test_signing_out_here_closes_there(installation: Installation) -> None:
    here = installation.here
    name = f"leaves-{here.port}"
    here.createuser(name, password="a quiet warm room")
    browser = Browser(here.url)
    browser.sign_in(name, "a quiet warm room")
    client = await Client.connect(
        installation.there.ws, cookie=browser.cookie, origin=installation.there.url
    )
    await asyncio.to_thread(browser.submit, "/chat/", {}, action="/accounts/logout/")
    began = time.monotonic()
    assert (await client.closing(5)).code == 4401
    assert time.monotonic() - began < 2


async def test_a_classic_client_there_hears_protocol_1_here(
    installation: Installation, apart: Apart, bea: Person
) -> None:
    how = {"token": bea.token}
    client = await ClassicClient.connect(installation.there.ws, apart.room, **how)
    async with client:
        await client.say("from there")
        await client.hears("from there")
        await apart.ana.say(apart.room, "from here")
        await client.hears("from here")
    assert (await apart.ana.reached(apart.room, 4)).texts() == ["from there", "from here"]


async def test_odd_texts_and_slugs_are_kept_by_every_database(
    installation: Installation, ana: Person
) -> None:
    client = await ana.connect()
    for name in ("咖啡馆", "Straße", "مقهى", "ﷺ" * 30):
        room = await client.create(name)
        text = "😀 e\u0301 \u202e\u2028 'quote\" \\ %s {} " + "x" * 9000
        sent = await client.say(room, text)
        page = await client.cmd("history.list", room=room, around=sent["seq"])
        assert page["messages"][0]["text"] == text


async def test_the_log_in_the_database_is_what_was_shown(
    installation: Installation, apart: Apart
) -> None:
    sent = await apart.ana.say(apart.room, "hola")
    await apart.bea.cmd("reaction.add", room=apart.room, seq=sent["seq"], emoji="👍")
    view = await apart.ana.reached(apart.room, sent["seq"] + 1)
    log = read_logs(installation.here)[apart.room]
    assert [entry.seq for entry in log.entries] == [1, 2, 3, 4]
    assert log.private
    for event in view.events:
        entry = log.by_seq[event["seq"]]
        assert (entry.kind, entry.actor) == (event["type"], event["actor"]["id"])
    assert log.by_seq[sent["seq"]].key == view.messages[sent["seq"]]["key"]
    assert log.by_seq[2].member == apart.bea.id


async def test_what_is_answered_is_there_after_all_processes_were_killed(
    installation: Installation, apart: Apart, bea: Person
) -> None:
    sent = [await apart.ana.say(apart.room, f"{n}") for n in range(5)]
    before: dict[str, Any] = apart.ana.welcome
    for server in installation.servers:
        server.kill9()
    for server in installation.servers:
        server.start()
    client = await bea.connect(installation.there.ws, token=bea.token)
    assert client.welcome["epoch"] == before["epoch"]
    messages = await read_whole(client, apart.room)
    assert [seq for seq, *_ in messages] == [s["seq"] for s in sent]


async def test_a_page_tells_all_of_a_message(apart: Apart) -> None:
    """Mentions, reactions and edits are read with it, whatever the database."""
    named = f"hola @{apart.bea.name}"
    first = await apart.ana.say(apart.room, named)
    second = await apart.ana.say(apart.room, "nothing special")
    third = await apart.bea.say(apart.room, "to be taken back", reply_to=first["seq"])
    place = {"room": apart.room, "seq": first["seq"]}
    for who, emoji in ((apart.bea, "👍"), (apart.ana, "🎉"), (apart.ana, "👍")):
        await who.cmd("reaction.add", **place, emoji=emoji)
    await apart.ana.cmd("reaction.add", **place, emoji="👀")
    await apart.ana.cmd("reaction.remove", **place, emoji="👀")
    await apart.ana.cmd("message.edit", **place, text=f"{named}!")
    head = (await apart.bea.cmd("message.delete", room=apart.room, seq=third["seq"]))["event"]
    view = await apart.ana.reached(apart.room, head)
    page = await apart.bea.cmd("history.list", room=apart.room)
    assert [message["seq"] for message in page["messages"]] == [
        *(first["seq"], second["seq"], third["seq"])
    ]
    told = page["messages"][0]
    assert told["mentions"] == [apart.bea.id]
    assert told["reactions"] == [
        {"emoji": "👍", "count": 2, "by": [apart.bea.id, apart.ana.id]},
        {"emoji": "🎉", "count": 1, "by": [apart.ana.id]},
    ]
    assert (told["text"], told["edited_at"] is None) == (f"{named}!", False)
    gone = page["messages"][2]
    assert (gone["deleted"], gone["reply_to"]) == (True, first["seq"])
    fresh = await apart.bea.subscribe(apart.room)
    assert fresh["messages"] == page["messages"]
    assert [comparable(message) for message in page["messages"]] == [
        *(view.comparable()[seq] for seq in sorted(view.messages))
    ]
