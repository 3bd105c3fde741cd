"""Who may do what in a conversation: every command for everybody who could come to it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tertulia.protocol.commands import BY_TYPE
from tertulia.testing.client import Client, new_key
from tertulia.testing.server import Server
from tests.security.authorisation import SUPPORT_ANYWHERE, SUPPORT_ROLES, SUPPORT_ROWS, word
from tests.support.browser import Browser

from .desk import Desk

UNTIL = (datetime.now(UTC) + timedelta(hours=12)).isoformat()


def frames(room: str, notes: str, desk: Desk, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """One frame for each command, in this room."""
    return {
        "ping": {},
        "auth": {"token": "…"},
        "room.list": {},
        "person.find": {"text": "a"},
        "room.create": {"key": new_key(), "name": "Mine", "kind": "private", "members": []},
        "inbox.list": {},
        "agent.available": {"inbox": desk.inbox, "available": True},
        "reply.list": {"inbox": desk.inbox},
        "conversation.list": {"filter": "all", "inbox": desk.inbox},
        "conversation.search": {"query": "hello", "inbox": desk.inbox},
        "conversation.open": {"key": new_key(), "url": ""},
        "room.subscribe": {"room": room},
        "room.unsubscribe": {"room": room},
        "history.list": {"room": room},
        "member.list": {"room": room},
        "message.send": {"room": room, "key": new_key(), "text": "hello"},
        "message.edit": {"room": room, "seq": 3, "text": "other"},
        "message.delete": {"room": room, "seq": 3},
        "reaction.add": {"room": room, "seq": 3, "emoji": "👍"},
        "reaction.remove": {"room": room, "seq": 3, "emoji": "🦉"},
        "read.mark": {"room": room, "seq": 1},
        "typing.start": {"room": room},
        "typing.stop": {"room": room},
        "room.favourite": {"room": room, "favourite": True},
        "room.update": {"room": room, "topic": "about it"},
        "room.join": {"room": room},
        "room.leave": {"room": room},
        "member.add": {"room": room, "member": ids["stranger"]},
        "member.remove": {"room": room, "member": ids["visitor"]},
        "member.role": {"room": room, "member": ids["visitor"], "role": "owner"},
        "conversation.get": {"room": room},
        "conversation.received": {"room": room, "seq": 1},
        "conversation.assign": {"room": room, "agent": None},
        "conversation.snooze": {"room": room, "until": UNTIL},
        "conversation.reopen": {"room": room},
        "conversation.resolve": {"room": room},
        "conversation.rate": {"room": room, "rating": 3},
        "conversation.transfer": {"room": room, "inbox": desk.inbox},
    }


@pytest.fixture
async def cast(desk: Desk, playground: Server) -> dict[str, Client]:
    """Everybody who could come to a conversation."""
    people = {"visitor": await desk.visitor(), "agent": await desk.agent()}
    people["foreign agent"] = await desk.agent("foreign")
    people["another visitor"] = await desk.visitor(1)
    people["member"] = await desk.agent("stranger")
    return people


def test_every_command_has_a_row() -> None:
    assert {row.command for row in SUPPORT_ROWS} | set(SUPPORT_ANYWHERE) == set(BY_TYPE)


@pytest.mark.parametrize("command", sorted({row.command for row in SUPPORT_ROWS}))
@pytest.mark.parametrize("where", ["room", "notes"])
async def test_in_a_conversation_everybody_may_do_what_the_table_says(
    desk: Desk, cast: dict[str, Client], command: str, where: str
) -> None:
    for role in SUPPORT_ROLES:
        visitor, agent = cast["visitor"], cast["agent"]
        room = await desk.conversation(visitor, "hello", new=True)
        notes = (await desk.state(agent, room))["notes"]
        for number in range(3):
            await agent.say(notes, str(number))
        ids = {"stranger": cast["member"].id, "visitor": visitor.id}
        address = room if where == "room" else notes
        fields = frames(address, notes, desk, ids)[command]
        row = next(row for row in SUPPORT_ROWS if row.command == command)
        wanted = row.expected(role, notes=where == "notes")
        reply = await cast[role].request(command, **fields)
        assert word(reply) == wanted, (role, reply)
        if command.startswith("conversation") and reply["ok"]:
            await agent.request("conversation.reopen", room=room)


@pytest.mark.parametrize("command", sorted(SUPPORT_ANYWHERE))
async def test_elsewhere_too(desk: Desk, cast: dict[str, Client], command: str) -> None:
    for role, wanted in zip(SUPPORT_ROLES, SUPPORT_ANYWHERE[command], strict=True):
        ids = {"stranger": "", "visitor": ""}
        fields = frames("", "", desk, ids)[command]
        if command == "auth":
            continue
        reply = await cast[role].request(command, **fields)
        assert word(reply) == word(wanted), (role, reply)


class TestOneConversationHisOwn:
    """SECURITY 11: a visitor sees one conversation, his own."""

    async def test_public_rooms_do_not_exist_for_him(self, desk: Desk) -> None:
        member, visitor = await desk.agent("stranger"), await desk.visitor()
        room = await member.create("Lobby of the desk")
        said = await member.say(room, "hi")
        for command, fields in {
            "room.subscribe": {},
            "room.unsubscribe": {},
            "history.list": {},
            "message.send": {"key": new_key(), "text": "x"},
            "read.mark": {"seq": said["seq"]},
            "typing.start": {},
            "typing.stop": {},
        }.items():
            for address in (room, "nowhere-at-all"):
                assert await visitor.refused(command, room=address, **fields) == "not_found"

    async def test_nobody_puts_him_into_another_room(self, desk: Desk) -> None:
        member, visitor = await desk.agent("stranger"), await desk.visitor()
        room = await member.create("Lobby of the desk")
        assert await member.refused("member.add", room=room, member=visitor.id) == "invalid"
        for kind in ("direct", "private", "public"):
            assert (
                await member.refused(
                    "room.create", key=new_key(), name="x", kind=kind, members=[visitor.id]
                )
                == "invalid"
            )
        found = await member.cmd("person.find", text=visitor.name)
        assert found["people"] == []

    async def test_where_rooms_are_made_by_visiting_he_makes_none(self, playground: Server) -> None:
        code = (
            "from tertulia.support.models import Inbox\n"
            "from tertulia.support.visitors import *\n"
            "print(visitor_token(new_visitor(Inbox.objects.create(name='x'))))"
        )
        token = playground.shell(code).strip().splitlines()[-1]
        async with await Client.connect(playground.ws, auth=token) as visitor:
            assert await visitor.refused("room.subscribe", room="made-by-a-visitor") == "not_found"

    async def test_his_token_opens_no_classic_address(self, desk: Desk) -> None:
        member = await desk.agent("stranger")
        room = await member.create("Lobby of the desk")
        client = await Client.connect(
            desk.installation.here.ws,
            path=f"/ws/chat/{room}/",
            token=desk.tokens[0],
            welcome=False,
        )
        assert (await client.closing()).code == 4401


class TestTakenFromTheInbox:
    """Whoever is an agent no longer reads nothing more, within two seconds."""

    async def test_his_subscriptions_end_in_every_process(self, everywhere: Desk) -> None:
        desk = everywhere
        visitor = await desk.visitor()
        ana, bea = await desk.agent(there=True), await desk.agent("bea")
        room = await desk.conversation(visitor, "hello")
        notes = (await desk.state(ana, room))["notes"]
        await ana.cmd("conversation.assign", room=room, agent=ana.id)
        for address in (room, notes):
            await ana.subscribe(address)
            await bea.subscribe(address)
        name = ana.name
        desk.shell(f"Agent.objects.filter(inbox=inbox, participant__name={name!r}).delete()")
        began = time.monotonic()
        for address in (room, notes):
            await ana.expect("room.left", seconds=2.5, room=address)
        assert time.monotonic() - began < 2.5
        await visitor.say(room, "still there?")
        await bea.say(notes, "he is gone")
        for command, fields in {
            "room.subscribe": {},
            "history.list": {},
            "message.send": {"key": new_key(), "text": "x"},
            "read.mark": {"seq": 1},
            "typing.start": {},
            "conversation.get": {},
            "conversation.resolve": {},
        }.items():
            assert await ana.refused(command, room=room, **fields) == "not_found"
        assert (await ana.cmd("inbox.list"))["inboxes"] == []
        ana.inbox.clear()
        await visitor.say(room, "and now?")
        await ana.silence(lambda f: f["type"] in ("message.created", "conversation.activity"), 1.2)
        # What was his is in the queue.
        assert (await desk.state(bea, room))["agent"] is None

    async def test_who_is_put_in_his_place_ends_them_too(self, desk: Desk) -> None:
        visitor, ana, bea = await desk.visitor(), await desk.agent(), await desk.agent("bea")
        room = await desk.conversation(visitor, "hello")
        notes = (await desk.state(ana, room))["notes"]
        for address in (room, notes):
            await ana.subscribe(address)
        await ana.cmd("conversation.assign", room=room, agent=ana.id)
        stranger = await desk.agent("stranger")
        # As a form of the administration does it: another person in the same row.
        desk.shell(
            f"row = inbox.agents.get(participant__public_id={ana.id!r})\n"
            f"row.participant = Participant.objects.get(public_id={stranger.id!r})\nrow.save()"
        )
        for _ in range(2):
            await ana.expect("room.left")
        await bea.say(notes, "between us")
        await ana.silence(lambda frame: frame["type"] == "message.created", 1.0)
        assert (await desk.state(stranger, room))["agent"] is None

    async def test_what_he_sends_meanwhile_is_refused_in_the_transaction(self, desk: Desk) -> None:
        visitor, ana = await desk.visitor(), await desk.agent()
        room = await desk.conversation(visitor, "hello")
        await ana.subscribe(room)
        stop = asyncio.Event()

        async def talk() -> list[int]:
            seqs = []
            while not stop.is_set():
                reply = await ana.request("message.send", room=room, key=new_key(), text="x")
                if not reply["ok"]:
                    assert reply["error"]["code"] == "not_found"
                    break
                seqs.append(reply["result"]["seq"])
            return seqs

        talking = asyncio.create_task(talk())
        told = await asyncio.to_thread(
            desk.shell,
            f"Agent.objects.filter(inbox=inbox, participant__name={ana.name!r}).delete()\n"
            f"print(Room.objects.get(slug={room!r}).head)",
        )
        await asyncio.wait_for(talking, 10)
        stop.set()
        head = int(told.strip().splitlines()[-1])
        assert max(talking.result()) <= head

    async def test_who_is_made_an_agent_may_at_once(self, desk: Desk) -> None:
        visitor, stranger = await desk.visitor(), await desk.agent("stranger")
        room = await desk.conversation(visitor, "hello")
        assert await stranger.refused("room.subscribe", room=room) == "not_found"
        name = stranger.name
        desk.shell(
            f"Agent.objects.create(inbox=inbox, participant=Participant.objects.get(name={name!r}))"
        )
        await stranger.subscribe(room)
        said = await visitor.say(room, "welcome")
        await stranger.reached(room, said["seq"])
        # Within the second in which every process has heard of it.
        async with asyncio.timeout(10):
            while not [f for f in stranger.frames if f["type"] == "conversation.activity"]:
                await visitor.say(room, "and again")
                await asyncio.sleep(0.2)


async def test_a_site_without_the_desk_knows_no_such_command(tmp_path: Any) -> None:
    settings = tmp_path / "bare_settings.py"
    settings.write_text(
        "from tertulia.project.settings import *\n"
        "INSTALLED_APPS = [a for a in INSTALLED_APPS if a != 'tertulia.support']\n"
    )
    server = Server(env={"PYTHONPATH": str(tmp_path), "DJANGO_SETTINGS_MODULE": "bare_settings"})
    try:
        server.start()
        ((_, token),) = server.people(1)
        async with await Client.connect(server.ws, token=token) as client:
            assert await client.refused("inbox.list") == "unknown_command"
            room = await client.create("Plain")
            await client.say(room, "hola", seen=0)
    finally:
        server.remove()


MOVED = """
from django.db import connection, transaction
from tertulia.chat import actions
from tertulia.chat.log import LogTransaction
from tertulia.chat.people import speaker_of
from tertulia.protocol.errors import ProtocolError
from tertulia.support.actions import TransferConversation
import uuid
conversation = Conversation.objects.get(room__slug={room!r})
ana, bea = (speaker_of(Participant.objects.get(public_id=one)) for one in {people!r})
with transaction.atomic():
    log = LogTransaction(connection)
    # As a batch begins: what all of it needs is read at once.
    pairs = [(room, who.id) for room in (conversation.room_id, conversation.notes_id)
        for who in (ana, bea)]
    log.find(rooms={{conversation.room_id, conversation.notes_id}}, members=pairs)
    TransferConversation(ana, {room!r}, other.public_id).run(log)
    for slug in ({room!r}, conversation.notes.slug):
        try:
            actions.SendMessage(bea, slug, "too late", uuid.uuid4()).run(log)
            print("written")
        except ProtocolError as error:
            print(error.code.value)
"""


async def test_who_loses_a_conversation_in_the_same_transaction_writes_no_more(
    everywhere: Desk,
) -> None:
    desk = everywhere
    visitor, ana, bea = await desk.visitor(), await desk.agent(), await desk.agent("bea")
    room = await desk.conversation(visitor, "hello")
    told = desk.shell(MOVED.format(room=room, people=[ana.id, bea.id]))
    assert told.split()[-2:] == ["not_found", "not_found"]


async def test_an_address_that_no_database_takes_is_none(everywhere: Desk) -> None:
    browser = Browser(everywhere.installation.here.url)
    for path in ("%00/", "%00/settings/", f"{everywhere.inbox}%00/settings/"):
        assert browser.get(f"/support/{path}").status == 404
