"""People who come and go: each stays for a while, does a bit of everything, and resumes later."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any

from ..client import Client, Refused
from ..view import RoomView
from ..workload import BROKEN, RETRYABLE, Doors, connect_patiently

EMOJI = ("👍", "🎉", "👀")
# Of each hundred acts.
ACTS = {"say": 40, "read": 25, "edit": 12, "react": 15, "type": 5, "delete": 3}
# Acts of a visit.
STAY = (3, 30)
# Refusals that come of acting on what somebody else has just changed.
RACES = ("conflict", "not_found", "invalid")
# Messages that a visitor remembers between two visits.
KEPT = 200


class Visitor:
    """One person in one room. His `RoomView` raises on an event that is not the next."""

    def __init__(self, name: str, doors: Doors, token: str, room: str, did: Counter[str]) -> None:
        self.name = name
        self.doors = doors
        self.token = token
        self.room = room
        # What all visitors have done, by kind.
        self.did = did
        self.view: RoomView | None = None

    async def run(self, stop: asyncio.Event, pause: float) -> None:
        """Visit after visit until told to stop."""
        while not stop.is_set():
            try:
                await self._visit(stop, pause)
            except BROKEN:
                self.did["broken"] += 1
            except Refused as refusal:
                if refusal.code not in RETRYABLE:
                    raise
                self.did["refused"] += 1
            await asyncio.sleep(random.uniform(0, pause * 4))

    async def _visit(self, stop: asyncio.Event, pause: float) -> None:
        deadline = asyncio.get_running_loop().time() + 60
        client = await connect_patiently(self.doors, self.token, deadline)
        self.did["connect"] += 1
        try:
            await self._enter(client)
            for _ in range(random.randint(*STAY)):
                if stop.is_set():
                    break
                await self._act(client)
                await asyncio.sleep(random.uniform(0, 2 * pause))
        finally:
            self._keep(client)
            # Half of them close the door behind them, half are just gone.
            with contextlib.suppress(*BROKEN):
                await (client.close() if random.random() < 0.5 else client.vanish())
            if client.error is not None:
                raise client.error

    async def _enter(self, client: Client) -> None:
        if self.view is None or random.random() < 0.1:
            await client.subscribe(self.room)
            self.did["load"] += 1
        else:
            await client.resume(self.room, self.view)
            self.did["resume"] += 1

    def _keep(self, client: Client) -> None:
        """Where he is, for the next visit; a soak is long, so only the newest messages."""
        view = client.views.get(self.room)
        if view is not None:
            self.view = view
            view.events.clear()
            for seq in sorted(view.messages)[:-KEPT]:
                del view.messages[seq]

    async def _act(self, client: Client) -> None:
        act = random.choices(list(ACTS), list(ACTS.values()))[0]
        try:
            await getattr(self, f"_{act}")(client)
        except Refused as refusal:
            if refusal.code not in (*RACES, *RETRYABLE):
                raise
            self.did["refused"] += 1
        else:
            self.did[act] += 1

    async def _say(self, client: Client) -> None:
        await client.say(self.room, f"{self.name} says *something* of {random.random():.9f}")

    async def _read(self, client: Client) -> None:
        head = client.views[self.room].seq
        before = random.randint(1, head + 1)
        await client.cmd("history.list", room=self.room, before=before, limit=50)
        await client.cmd("read.mark", room=self.room, seq=head)

    async def _edit(self, client: Client) -> None:
        message = self._one(client, mine=True)
        if message:
            text = f"{message['text'][:60]}, or {random.randint(0, 9)}"
            await client.cmd("message.edit", room=self.room, seq=message["seq"], text=text)

    async def _delete(self, client: Client) -> None:
        message = self._one(client, mine=True)
        if message:
            await client.cmd("message.delete", room=self.room, seq=message["seq"])

    async def _react(self, client: Client) -> None:
        message = self._one(client)
        if message:
            how = random.choice(("reaction.add", "reaction.remove"))
            emoji = random.choice(EMOJI)
            await client.cmd(how, room=self.room, seq=message["seq"], emoji=emoji)

    async def _type(self, client: Client) -> None:
        await client.cmd("typing.start", room=self.room)

    def _one(self, client: Client, *, mine: bool = False) -> dict[str, Any] | None:
        """One of the newest messages that still have a text."""
        newest = list(client.views[self.room].messages.values())[-50:]
        found = [
            message
            for message in newest
            if not message.get("deleted") and (not mine or message["author"]["id"] == client.id)
        ]
        return random.choice(found) if found else None
