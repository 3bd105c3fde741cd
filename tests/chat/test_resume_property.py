"""Reload equals resume: whatever happens, and wherever a client was cut off and came back,
it ends with the same messages as one that loads afresh."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.testing.client import Client, Refused, new_key
from tertulia.testing.server import Server
from tertulia.testing.view import RoomView, comparable

PEOPLE = 3
EMOJI = ("👍", "🎉", "❤️")

who = st.integers(0, PEOPLE - 1)
which = st.integers(0, 30)
acts = st.one_of(
    st.tuples(st.just("say"), who, st.sampled_from(["hola", "*mark*", "x" * 3000, "@p1 mira"])),
    st.tuples(st.just("edit"), who, which),
    st.tuples(st.just("delete"), who, which),
    st.tuples(st.just("react"), who, which, st.sampled_from(EMOJI)),
    st.tuples(st.just("take back"), who, which, st.sampled_from(EMOJI)),
    st.tuples(st.just("leave"), who),
    st.tuples(st.just("join"), who),
    st.tuples(st.just("topic"), st.sampled_from(["a", "b", ""])),
    st.tuples(st.just("cut")),
    st.tuples(st.just("come back")),
)


class Stage:
    """A room, those who act in it, and one who follows it with interruptions."""

    def __init__(self, server: Server, tokens: list[str]) -> None:
        self.server = server
        self.tokens = tokens
        self.actors: list[Client] = []
        self.room = ""
        self.seqs: list[int] = []
        self.follower: Client | None = None
        self.view: RoomView | None = None
        self.edits = 0

    async def open(self) -> None:
        for token in self.tokens[:PEOPLE]:
            self.actors.append(await Client.connect(self.server.ws, token=token))
        self.room = await self.actors[0].create("Property")
        for actor in self.actors[1:]:
            await actor.cmd("room.join", room=self.room)
        await self.come_back()

    async def close(self) -> None:
        for client in (*self.actors, self.follower):
            if client:
                await client.close()

    async def come_back(self) -> None:
        """Connect again and resume; the first time, load."""
        if self.follower:
            return
        self.follower = await Client.connect(self.server.ws, token=self.tokens[-1])
        if self.view is None:
            await self.follower.subscribe(self.room, limit=100)
        else:
            await self.follower.resume(self.room, self.view, limit=100)
        self.view = self.follower.views[self.room]

    async def cut(self) -> None:
        if self.follower:
            await self.follower.vanish()
            assert self.follower.error is None
            self.follower = None

    async def act(self, name: str, *how: Any) -> None:
        if name == "cut":
            await self.cut()
        elif name == "come back":
            await self.come_back()
        elif name == "topic":
            await self.actors[0].cmd("room.update", room=self.room, topic=how[0])
        else:
            command, fields = self.command(name, *how[1:])
            if fields is not None:
                try:
                    result = await self.actors[how[0]].cmd(command, room=self.room, **fields)
                except Refused:  # who left may not, and the like: nothing happened
                    return
                if name == "say":
                    self.seqs.append(result["seq"])

    def command(self, name: str, *how: Any) -> tuple[str, dict[str, Any] | None]:
        """The command of an act and its fields; None when there is no message to act on."""
        if name == "say":
            return "message.send", {"key": new_key(), "text": how[0]}
        if name in ("leave", "join"):
            return f"room.{name}", {}
        if not self.seqs:
            return name, None
        fields: dict[str, Any] = {"seq": self.seqs[how[0] % len(self.seqs)]}
        if name == "edit":
            self.edits += 1
            return "message.edit", {**fields, "text": f"edited {self.edits}"}
        if name == "delete":
            return "message.delete", fields
        return {"react": "reaction.add", "take back": "reaction.remove"}[name], {
            **fields,
            "emoji": how[1],
        }

    async def compare(self) -> None:
        """The follower's messages against a fresh load."""
        await self.come_back()
        loaded = await self.actors[0].cmd("room.subscribe", room=self.room, limit=100)
        assert self.follower
        view = await self.follower.reached(self.room, loaded["head"])
        assert view.seq == loaded["head"]
        assert view.comparable() == {m["seq"]: comparable(m) for m in loaded["messages"]}


@pytest.fixture(scope="module")
def tokens(embedded: Server) -> list[str]:
    return [token for _, token in embedded.people(PEOPLE + 1)]


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=st.lists(acts, max_size=40))
def test_reload_equals_resume(
    embedded: Server, tokens: list[str], script: list[tuple[Any, ...]]
) -> None:
    async def play() -> None:
        stage = Stage(embedded, tokens)
        try:
            await stage.open()
            for act in script:
                await stage.act(*act)
            await stage.compare()
        finally:
            await stage.close()

    asyncio.run(play())
