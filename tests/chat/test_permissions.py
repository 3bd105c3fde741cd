"""Who may do what: every act tried in every role, in a public and in a private room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.server import Server
from tests.support.people import Person

ROLES = ("owner", "moderator", "member", "outsider")
# The answer to each role, in the order of ROLES; an outsider of a private room gets not_found.
ACTS: dict[str, tuple[str, str, str, str]] = {
    "read": ("ok", "ok", "ok", "ok"),
    "history": ("ok", "ok", "ok", "ok"),
    "members": ("ok", "ok", "ok", "ok"),
    "send": ("ok", "ok", "ok", "forbidden"),
    "react": ("ok", "ok", "ok", "forbidden"),
    "type": ("ok", "ok", "ok", "forbidden"),
    "add": ("ok", "ok", "ok", "forbidden"),
    "edit another's": ("forbidden", "forbidden", "forbidden", "forbidden"),
    "delete another's": ("ok", "ok", "forbidden", "forbidden"),
    "remove": ("ok", "ok", "forbidden", "forbidden"),
    "rename": ("ok", "ok", "forbidden", "forbidden"),
    "set the topic": ("ok", "ok", "forbidden", "forbidden"),
    "archive": ("ok", "forbidden", "forbidden", "forbidden"),
    "give a role": ("ok", "forbidden", "forbidden", "forbidden"),
}


@pytest.fixture(scope="module")
def cast(embedded: Server) -> list[tuple[str, str]]:
    """The same four for every scene: the rooms are new, the people need not be."""
    return embedded.people(4)


@pytest.fixture
async def people(
    embedded: Server, cast: list[tuple[str, str]]
) -> AsyncIterator[Callable[..., Person]]:
    async with AsyncExitStack() as stack:
        turn = iter(cast)
        yield lambda: Person(embedded, *next(turn), stack)


class Stage:
    """A room with an owner, a target who wrote one message, and the one who is tried."""

    def __init__(self, room: str, tried: Client, target: Client, seq: int, spare: Client) -> None:
        self.room = room
        self.tried = tried
        self.target = target
        self.seq = seq
        self.spare = spare

    def act(self, name: str) -> tuple[str, dict[str, Any]]:
        """The command and its fields."""
        target, seq = self.target.id, self.seq
        acts: dict[str, tuple[str, dict[str, Any]]] = {
            "read": ("room.subscribe", {}),
            "history": ("history.list", {"after": 0}),
            "members": ("member.list", {}),
            "send": ("message.send", {"key": new_key(), "text": "hola"}),
            "react": ("reaction.add", {"seq": seq, "emoji": "👍"}),
            "type": ("typing.start", {}),
            "add": ("member.add", {"member": self.spare.id}),
            "edit another's": ("message.edit", {"seq": seq, "text": "changed"}),
            "delete another's": ("message.delete", {"seq": seq}),
            "remove": ("member.remove", {"member": target}),
            "rename": ("room.update", {"name": "Renamed"}),
            "set the topic": ("room.update", {"topic": "A topic"}),
            "archive": ("room.update", {"archived": True}),
            "give a role": ("member.role", {"member": target, "role": "moderator"}),
        }
        return acts[name]


async def build(people: Callable[..., Person], kind: str, role: str) -> Stage:
    owner, tried, target, spare = [await people().connect() for _ in range(4)]
    if role == "owner":
        tried = owner
    members = [target.id] + ([tried.id] if role in ("moderator", "member") else [])
    room = await owner.create("Stage", kind, members=members)
    if role == "moderator":
        await owner.cmd("member.role", room=room, member=tried.id, role="moderator")
    sent = await target.say(room, "by the target")
    return Stage(room, tried, target, sent["seq"], spare)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["public", "private"])
async def test_who_may(people: Callable[..., Person], kind: str, role: str, act: str) -> None:
    stage = await build(people, kind, role)
    expected = ACTS[act][ROLES.index(role)]
    if role == "outsider" and kind == "private":
        expected = "not_found"
    command, fields = stage.act(act)
    reply = await stage.tried.request(command, room=stage.room, **fields)
    assert ("ok" if reply["ok"] else reply["error"]["code"]) == expected


async def test_an_author_who_left_may_no_longer_touch_his_message(talk: Any) -> None:
    sent = await talk.bea.say(talk.room, "mine")
    await talk.bea.cmd("room.leave", room=talk.room)
    fields = {"room": talk.room, "seq": sent["seq"]}
    assert await talk.bea.refused("message.edit", **fields, text="changed") == "forbidden"
    assert await talk.bea.refused("message.delete", **fields) == "forbidden"


async def test_an_author_may_edit_and_delete_his_own(talk: Any) -> None:
    sent = await talk.bea.say(talk.room, "mine")
    fields = {"room": talk.room, "seq": sent["seq"]}
    await talk.bea.cmd("message.edit", **fields, text="changed")
    await talk.bea.cmd("message.delete", **fields)


async def test_a_removed_moderator_is_nothing_more(people: Callable[..., Person]) -> None:
    stage = await build(people, "private", "moderator")
    await stage.tried.cmd("room.leave", room=stage.room)
    code = await stage.tried.refused("message.delete", room=stage.room, seq=stage.seq)
    assert code == "not_found"


async def test_a_former_owner_who_comes_back_is_a_member(talk: Any) -> None:
    await talk.ana.cmd("member.role", room=talk.room, member=talk.bea.id, role="owner")
    await talk.ana.cmd("room.leave", room=talk.room)
    await talk.ana.cmd("room.join", room=talk.room)
    members = (await talk.bea.cmd("member.list", room=talk.room))["members"]
    assert {m["id"]: m["role"] for m in members} == {talk.ana.id: "member", talk.bea.id: "owner"}


@pytest.mark.parametrize("archived", [True, False])
async def test_a_moderator_may_not_slip_the_archive_in_beside_a_name(
    people: Callable[..., Person], archived: bool
) -> None:
    stage = await build(people, "public", "moderator")
    fields = {"room": stage.room, "name": "Slip", "archived": archived}
    reply = await stage.tried.request("room.update", **fields)
    state = (await stage.target.cmd("room.subscribe", room=stage.room))["state"]
    assert state["archived"] is False
    if archived:
        assert reply["error"]["code"] == "forbidden"
        assert state["name"] == "Stage"
