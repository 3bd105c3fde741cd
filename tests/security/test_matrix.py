"""Every command for every role in every kind of room, over real sockets, against the table.

The whole trial is one run, since building a room for each of 1,500 cells would take minutes; each
command is then a test of its own.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tertulia.chat.models import Room
from tertulia.protocol.commands import BY_TYPE
from tertulia.testing.client import Client, Closed, new_key, open_socket
from tertulia.testing.server import Server
from tests.support.people import Person

from .authorisation import ANSWERS, ANYWHERE, DEACTIVATED, KINDS, NOBODY, ROLES, ROWS
from .stage import Cast, Cell, Scene, frames, try_anywhere

ACCOUNTS = ("owner", "moderator", "member", "reader", "stranger", "removed")
GUESTS = ("guest member", "guest")
SPARES = 6
SUPPORT_ROOM = "the-matrix-support"
# What no public door does yet: a bot, a support room; and a deactivation.
PREPARE = """
import json
from django.contrib.auth import get_user_model
from tertulia.chat import open_room
from tertulia.chat.models import Participant
from tertulia.chat.people import issue_token
users = get_user_model().objects
gone = users.get(username={gone!r})
gone.is_active = False
gone.save()
bot = Participant.objects.create(kind="bot", name="the-matrix-bot")
room = open_room({room!r}, name="Support", kind="support", owner=users.get(username={keeper!r}))
print(json.dumps({{"bot": issue_token(bot), "head": room.head}}))
"""


@dataclass
class Outcome:
    """What the server answered."""

    rooms: dict[Cell, str] = field(default_factory=dict)
    anywhere: dict[tuple[str, str, str], str] = field(default_factory=dict)
    # By the ref of the frame.
    nobody: dict[str, str] = field(default_factory=dict)
    deactivated: dict[str, Any] = field(default_factory=dict)
    auth: dict[str, int | str] = field(default_factory=dict)
    # Of each room: its kind, the end of its log, and the seqs that allowed commands told.
    logs: list[tuple[str, int, set[int]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def outcome(embedded: Server, playground: Server) -> Outcome:
    """The trial, carried out once."""
    people = embedded.people(len(ACCOUNTS) + SPARES + 2)
    (keeper, _), (gone, gone_token), *_ = people
    made = embedded.shell(PREPARE.format(gone=gone, keeper=keeper, room=SUPPORT_ROOM))
    prepared = json.loads(made.strip().splitlines()[-1])
    guests = playground.people(SPARES + 1)
    return asyncio.run(trial(embedded, playground, people, guests, prepared, gone_token))


async def trial(
    embedded: Server,
    playground: Server,
    people: list[tuple[str, str]],
    guests: list[tuple[str, str]],
    prepared: dict[str, Any],
    gone_token: str,
) -> Outcome:
    found = Outcome()
    async with AsyncExitStack() as stack:
        tokens = dict(zip(ACCOUNTS, (token for _, token in people[2:]), strict=False))
        tokens["bot"] = prepared["bot"]
        cast = await cast_of(embedded, stack, people[0], people[2 + len(ACCOUNTS) :], tokens)
        open_cast = await cast_of(playground, stack, guests[0], guests[1:], dict.fromkeys(GUESTS))
        support = Scene(cast, "support")
        support.room, support.told = SUPPORT_ROOM, set(range(1, prepared["head"] + 1))
        scenes = [
            Scene(each, kind, archived=archived)
            for each in (cast, open_cast)
            for kind in ("public", "private", "direct")
            for archived in (False, True)
        ]
        built = await asyncio.gather(*(scene.build() for scene in scenes))
        absent = Scene(cast, "absent")
        everything = [*built, support, absent]
        await asyncio.gather(*(scene.try_all(scene.cast.tried) for scene in everything))
        for scene in everything:
            found.rooms |= scene.answers
        found.logs = [(scene.kind, await scene.head(), scene.told) for scene in [*built, support]]
        for each in (cast, open_cast):
            found.anywhere |= await try_anywhere(each)
        found.nobody = await tried_as_nobody(embedded)
        found.deactivated = await tried_as_deactivated(embedded, gone_token)
        wanted = {**tokens, "nobody": "a-made-up-token", "deactivated": gone_token}
        found.auth = {role: await authenticated(embedded, token) for role, token in wanted.items()}
        for role in GUESTS:
            token = open_cast.tried[role].welcome["guest_token"]
            found.auth[role] = await authenticated(playground, token)
    return found


async def cast_of(
    server: Server,
    stack: AsyncExitStack,
    keeper: tuple[str, str],
    spares: list[tuple[str, str]],
    tokens: dict[str, Any],
) -> Cast:
    """Everybody connected; each of the tried has said something in another room."""
    keeping = await Person(server, *keeper, stack).connect()
    tried = {}
    for role, token in tokens.items():
        how = {} if token is None else {"token": token}
        tried[role] = await stack.enter_async_context(await Client.connect(server.ws, **how))
    ids = []
    for name, _ in spares[:SPARES]:
        people = (await keeping.cmd("person.find", text=name))["people"]
        ids.append(next(person["id"] for person in people if person["name"] == name))
    cast = Cast(keeping, {role: tried[role] for role in ROLES if role in tried}, ids)
    elsewhere = await keeping.create("Elsewhere")
    for role, client in tried.items():
        await client.cmd("room.join", room=elsewhere)
        cast.spent[role] = new_key()
        await client.say(elsewhere, "here", cast.spent[role])
    return cast


async def tried_as_nobody(server: Server) -> dict[str, str]:
    """Every frame on a connection that has not said who it is."""
    async with await Client.connect(server.ws, welcome=False) as client:
        replies = await asyncio.gather(*(client.request(**frame) for frame in frames()))
    return {str(reply["ref"]): "ok" if reply["ok"] else reply["error"]["code"] for reply in replies}


async def tried_as_deactivated(server: Server, token: str) -> dict[str, Any]:
    """Every frame, sent with the handshake's last byte: what came back, the close code last."""

    async def attempt(frame: dict[str, Any]) -> tuple[str, list[Any]]:
        socket = await open_socket(server.ws + "/ws/", token=token)
        came: list[Any] = []
        try:
            await socket.send(json.dumps(frame))
            came += [data async for data in socket]
        except ConnectionClosed:
            pass
        await socket.wait_closed()
        return frame["ref"], [*came, socket.close_code]

    return dict(await asyncio.gather(*(attempt(frame) for frame in frames())))


async def authenticated(server: Server, token: str) -> int | str:
    """`ok`, or the code with which an `auth` by this token closed the connection."""
    try:
        async with await Client.connect(server.ws, auth=token):
            return "ok"
    except Closed as closed:
        return closed.code or 0


# The table is whole


def test_every_command_has_a_row() -> None:
    rows = {row.command for row in ROWS} | {command for command, _, _ in ANYWHERE}
    assert rows == set(BY_TYPE)


def test_every_kind_of_room_has_a_column() -> None:
    assert {*KINDS} - {"absent"} == set(Room.Kind.values)


def test_every_row_says_something_for_every_role() -> None:
    letters = {*ANSWERS, "-"}
    for row in ROWS:
        for kind in KINDS:
            for archived in (False, True):
                told = row.letters(kind, archived=archived)
                assert len(told) == len(ROLES), (row, kind)
                assert set(told) <= letters, (row, kind)


# The server answers as the table says


@pytest.mark.parametrize("command", sorted({row.command for row in ROWS}))
def test_who_may(outcome: Outcome, command: str) -> None:
    expected = {
        (row.command, row.case, kind, archived, role): answer
        for row in ROWS
        if row.command == command
        for kind in KINDS
        for archived in ((False,) if kind in ("support", "absent") else (False, True))
        for role in ROLES
        if (answer := row.expected(kind, role, archived=archived)) is not None
    }
    answered = {cell: code for cell, code in outcome.rooms.items() if cell[0] == command}
    assert answered.keys() == expected.keys()
    assert {
        cell: f"{answered[cell]}, not {code}"
        for cell, code in expected.items()
        if answered[cell] != code
    } == {}


def test_what_has_no_room(outcome: Outcome) -> None:
    letters = {(command, case): letter for command, case, letter in ANYWHERE if command != "auth"}
    assert outcome.anywhere == {
        (*act, role): ANSWERS[letter] for act, letter in letters.items() for role in ROLES
    }


def test_nobody_may_anything(outcome: Outcome) -> None:
    assert set(outcome.nobody.values()) == {NOBODY}
    assert len(outcome.nobody) == len(frames())


def test_who_was_deactivated_is_closed_before_anything_is_done(outcome: Outcome) -> None:
    assert len(outcome.deactivated) == len(frames())
    assert {tuple(came) for came in outcome.deactivated.values()} == {(DEACTIVATED,)}


def test_a_token_speaks_for_its_owner_while_he_may(outcome: Outcome) -> None:
    refused = {"nobody": DEACTIVATED, "deactivated": DEACTIVATED}
    assert outcome.auth == {**dict.fromkeys(ROLES, "ok"), **refused}


def test_what_was_refused_left_no_trace_in_any_log(outcome: Outcome) -> None:
    assert len(outcome.logs) == 13
    for kind, head, told in outcome.logs:
        assert told == set(range(1, head + 1)), kind
