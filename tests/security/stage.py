"""Rooms of every kind with one person of every role in each, and the trial of every act there.

Carried out over real sockets. What a refused command may not do is proved by the log: every seq
of a room's log must have been the answer to a command that was allowed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tertulia.testing.client import Client, new_key

from .authorisation import ANYWHERE, FOR_MEMBERS_LAST, FOR_OTHERS_LAST, INSIDE, ROWS, Row

Fields = dict[str, Any]
# (command, case, kind, archived, role)
Cell = tuple[str, str, str, bool, str]
# Who has been in the room and spoken there.
SPOKE = (*INSIDE, "removed")
EMOJI, ANOTHER = "👍", "🎉"


@dataclass
class Cast:
    """Everybody of one server: who is tried, by role, and those who only hold still.

    `keeper` owns every room and is never tried; `spares` are ids of people to add and remove.
    """

    keeper: Client
    tried: dict[str, Client]
    spares: list[str]
    # Keys of messages that each of them has sent into another room.
    spent: dict[str, str] = field(default_factory=dict)


class Scene:
    """One room, or the place where there is none."""

    def __init__(self, cast: Cast, kind: str, *, archived: bool = False) -> None:
        self.cast = cast
        self.kind = kind
        self.archived = archived
        self.room = "there-is-no-such-room"
        self.target = 1
        self.victim = cast.spares[0]
        self.keys: dict[str, str] = {}
        self.own: dict[str, int] = {}
        # Every seq that was the answer to a command which was allowed.
        self.told: set[int] = set()
        self.answers: dict[Cell, str] = {}

    # Building

    async def build(self) -> Scene:
        """The room as it is when the trial begins."""
        cast, keeper = self.cast, self.cast.keeper
        inside = {role: client for role, client in cast.tried.items() if role in SPOKE}
        ids = [client.id for client in inside.values()]
        # The people of a direct room are what it is known by, so each has others in it.
        spares = cast.spares[1:] if self.archived else cast.spares[:-1]
        self.room = await keeper.create(f"{self.kind} stage", self.kind, members=[*ids, *spares])
        self.told |= set(range(1, (await keeper.cmd("history.list", room=self.room))["head"] + 1))
        self.victim = spares[0]
        for role in ("owner", "moderator"):
            if role in inside:
                await self.keep("member.role", member=inside[role].id, role=role)
        self.target = await self._says(keeper)
        for role, client in inside.items():
            self.keys[role] = new_key()
            self.own[role] = await self._says(client, self.keys[role])
            await self.ask(client, "reaction.add", seq=self.target, emoji=EMOJI)
        if "removed" in inside:
            await self.keep("member.remove", member=inside["removed"].id)
        if self.archived:
            await self.keep("room.update", archived=True)
        return self

    async def ask(self, client: Client, command: str, **fields: Any) -> str:
        """Send a command on the room; `ok` or the code of the refusal."""
        reply = await client.request(command, room=self.room, **fields)
        if not reply["ok"]:
            return str(reply["error"]["code"])
        result = reply.get("result") or {}
        self.told |= {result[name] for name in ("event", "seq") if name in result}
        return "ok"

    async def keep(self, command: str, **fields: Any) -> None:
        """The keeper puts something in order, which must succeed."""
        answer = await self.ask(self.cast.keeper, command, **fields)
        assert answer == "ok", (self.kind, command, fields, answer)

    async def _says(self, client: Client, key: str | None = None) -> int:
        sent = await client.say(self.room, "by hand", key)
        self.told.add(sent["seq"])
        return int(sent["seq"])

    # The trial

    async def try_all(self, roles: Iterable[str]) -> None:
        """Every row in every of these roles."""
        for role in roles:
            last = FOR_MEMBERS_LAST if role in INSIDE else FOR_OTHERS_LAST
            first = [row for row in ROWS if row.command not in last]
            ending = [row for command in last for row in ROWS if row.command == command]
            for row in (*first, *ending):
                if row.expected(self.kind, role, archived=self.archived) is not None:
                    await self._try(row, role)

    async def _try(self, row: Row, role: str) -> None:
        act = (row.command, row.case)
        client = self.cast.tried[role]
        fields = await FIELDS[act](self, role) if act in FIELDS else {}
        answer = await self.ask(client, row.command, **fields)
        self.answers[*act, self.kind, self.archived, role] = answer
        if answer == "ok" and act in RESTORED:
            await RESTORED[act](self, role, fields)

    async def head(self) -> int:
        """The end of the room's log."""
        history = await self.cast.keeper.cmd("history.list", room=self.room, limit=1)
        return int(history["head"])

    # What the acts need

    async def fresh(self, role: str, *, own: bool) -> Fields:
        """A message to delete, where one can be made; else the one that is there."""
        client = self.cast.tried[role] if own else self.cast.keeper
        if self.archived or self.kind in ("absent", "support") or (own and role not in INSIDE):
            return {"seq": self.own.get(role, self.target) if own else self.target}
        return {"seq": await self._says(client)}


Make = Callable[[Scene, str], Awaitable[Fields]]


async def _resume(scene: Scene, role: str) -> Fields:
    return {"after": 0, "epoch": scene.cast.tried[role].welcome["epoch"]}


def _victim(victims_role: str) -> Make:
    """Somebody in the room who is an owner, or a mere member."""

    async def fields(scene: Scene, role: str) -> Fields:
        if scene.kind not in ("absent", "support"):
            await scene.keep("member.role", member=scene.victim, role=victims_role)
        return {"member": scene.victim}

    return fields


async def _outsider(scene: Scene, role: str) -> Fields:
    spares = scene.cast.spares
    return {"member": spares[0] if scene.archived else spares[-1]}


def _with(**more: Any) -> Make:
    async def fields(scene: Scene, role: str) -> Fields:
        return dict(more)

    return fields


def _also(make: Make, **more: Any) -> Make:
    async def fields(scene: Scene, role: str) -> Fields:
        return {**await make(scene, role), **more}

    return fields


async def _own(scene: Scene, role: str) -> Fields:
    return {"seq": scene.own.get(role, scene.target)}


async def _target(scene: Scene, role: str) -> Fields:
    return {"seq": scene.target}


async def _send(scene: Scene, role: str) -> Fields:
    return {"key": new_key(), "text": f"by the {role}"}


async def _again(scene: Scene, role: str) -> Fields:
    return {"key": scene.keys.get(role, scene.cast.spent[role]), "text": "something else"}


async def _spent(scene: Scene, role: str) -> Fields:
    return {"key": scene.cast.spent[role], "text": "elsewhere"}


async def _toggled(scene: Scene, role: str) -> Fields:
    return {"archived": not scene.archived}


async def _renamed(scene: Scene, role: str) -> Fields:
    return {"name": f"of the {role}", "topic": f"as the {role} likes it"}


async def _slipped(scene: Scene, role: str) -> Fields:
    return {"name": f"slipped in by the {role}", "archived": not scene.archived}


async def _oneself(scene: Scene, role: str) -> Fields:
    return {"member": scene.cast.tried[role].id, "role": "owner"}


async def _own_fresh(scene: Scene, role: str) -> Fields:
    return await scene.fresh(role, own=True)


async def _others_fresh(scene: Scene, role: str) -> Fields:
    return await scene.fresh(role, own=False)


FIELDS: dict[tuple[str, str], Make] = {
    ("room.subscribe", "from where one was"): _resume,
    ("history.list", ""): _with(after=0),
    ("message.send", ""): _send,
    ("message.send", "again, with its key"): _again,
    ("message.send", "with a key of another room"): _spent,
    ("message.edit", "one's own"): _also(_own, text="changed"),
    ("message.edit", "another's"): _also(_target, text="changed"),
    ("message.delete", "one's own"): _own_fresh,
    ("message.delete", "another's"): _others_fresh,
    ("reaction.add", ""): _also(_target, emoji=EMOJI + EMOJI),
    ("reaction.remove", "one's own"): _also(_target, emoji=EMOJI),
    ("reaction.remove", "that never was"): _also(_target, emoji=ANOTHER),
    ("read.mark", ""): _target,
    ("room.favourite", ""): _with(favourite=True),
    ("room.update", "name and topic"): _renamed,
    ("room.update", "archive, or bring back"): _toggled,
    ("room.update", "name, and the archive beside it"): _slipped,
    ("member.add", ""): _outsider,
    ("member.add", "as an owner"): _also(_outsider, role="owner"),
    ("member.remove", "a member"): _victim("member"),
    ("member.remove", "an owner"): _victim("owner"),
    ("member.role", "another's"): _also(_victim("member"), role="moderator"),
    ("member.role", "one's own, to be an owner"): _oneself,
    ("conversation.received", ""): _with(seq=1),
    ("conversation.assign", ""): _with(agent=None),
    ("conversation.transfer", ""): _with(inbox="nowhere"),
    ("conversation.snooze", ""): _with(until="2999-01-01T00:00:00Z"),
    ("conversation.rate", ""): _with(rating=5),
}


async def _put_out(scene: Scene, role: str, fields: Fields) -> None:
    await scene.keep("member.remove", member=fields["member"])


async def _let_in(scene: Scene, role: str, fields: Fields) -> None:
    """Back where one can be added; in a direct room and in an archived one the next is taken."""
    if scene.kind != "direct" and not scene.archived:
        await scene.keep("member.add", member=fields["member"])
        return
    spares = scene.cast.spares
    scene.victim = spares[spares.index(scene.victim) + 1]


async def _archive_again(scene: Scene, role: str, fields: Fields) -> None:
    await scene.keep("room.update", archived=scene.archived)


async def _plain_again(scene: Scene, role: str, fields: Fields) -> None:
    await scene.keep("member.role", member=fields["member"], role="member")


async def _reads_on(scene: Scene, role: str, fields: Fields) -> None:
    """A reader is one who has subscribed."""
    if role == "reader":
        await scene.ask(scene.cast.tried[role], "room.subscribe")


RESTORED: dict[tuple[str, str], Callable[[Scene, str, Fields], Awaitable[None]]] = {
    ("room.unsubscribe", ""): _reads_on,
    ("room.update", "archive, or bring back"): _archive_again,
    ("room.update", "name, and the archive beside it"): _archive_again,
    ("member.add", ""): _put_out,
    ("member.add", "as an owner"): _put_out,
    ("member.remove", "a member"): _let_in,
    ("member.remove", "an owner"): _let_in,
    ("member.role", "another's"): _plain_again,
}


async def try_anywhere(cast: Cast) -> dict[tuple[str, str, str], str]:
    """The rows without a room, in every role: (command, case, role) to the answer."""

    async def ask(role: str, command: str, case: str) -> tuple[tuple[str, str, str], str]:
        made: dict[str, Fields] = {
            "room.create": {
                "key": new_key(), "name": f"By the {role}", "kind": case,
                "members": [cast.keeper.id],
            },
            "person.find": {"text": cast.keeper.name},
            "conversation.list": {"filter": "all", **({"inbox": "nowhere"} if case else {})},
            "conversation.search": {"query": "a", **({"inbox": "nowhere"} if case else {})},
            "agent.available": {"inbox": "nowhere", "available": True},
            "reply.list": {"inbox": "nowhere"},
            "conversation.open": {"key": new_key()},
        }  # fmt: skip
        reply = await cast.tried[role].request(command, **made.get(command, {}))
        return (command, case, role), "ok" if reply["ok"] else str(reply["error"]["code"])

    asked = [
        ask(role, command, case)
        for role in cast.tried
        for command, case, _ in ANYWHERE
        if command != "auth"
    ]
    return dict(await asyncio.gather(*asked))


def frames() -> list[Fields]:
    """A whole frame for every row, for those who are nobody."""
    scene_less: Fields = {
        "room": "lobby", "key": new_key(), "text": "hola", "seq": 1, "emoji": EMOJI,
        "member": "nobody", "role": "owner", "name": "A room", "kind": "public", "members": [],
        "favourite": True, "archived": True, "after": 0, "agent": None, "inbox": "nowhere",
        "until": "2999-01-01T00:00:00Z", "rating": 5, "filter": "all", "available": True,
    }  # fmt: skip
    wanted = [(row.command, row.case) for row in ROWS]
    wanted += [(command, case) for command, case, _ in ANYWHERE if command != "auth"]
    return [
        {**scene_less, "type": command, "ref": re.sub(r"\W+", "-", f"{command} {case}")}
        for command, case in wanted
    ]
