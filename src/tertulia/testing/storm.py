"""Load on one room while something breaks, and the proof afterwards.

async with Storm(installation) as storm:
    ...break things...
    await storm.proved(at_least=100)
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from .checker import Violation, check
from .client import Client
from .history import History
from .installation import Installation
from .stored import read_logs
from .workload import (
    Follower,
    Writer,
    connect_patiently,
    low_of,
    read_whole,
    triples,
)

# A client that is connected again has everything within this time; the contract's number.
CONVERGED = 5.0


class Storm:
    """Writers who send without pause until answered, and followers who resume for ever."""

    def __init__(
        self,
        installation: Installation,
        *,
        writers: int = 4,
        followers: int = 3,
        pause: float = 0.004,
    ) -> None:
        self.installation = installation
        self.history = History()
        self.room = ""
        self.pause = pause
        self.owner_token = ""
        self.stop = asyncio.Event()
        self.counts = (writers, followers)
        self.writers: list[Writer] = []
        self.followers: list[Follower] = []
        # Followers of whom it is no longer expected that they see everything.
        self.removed: list[Follower] = []
        self.writing: list[asyncio.Task[int]] = []
        self.following: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Storm:
        writers, followers = self.counts
        people = self.installation.here.people(1 + writers + followers)
        tokens = [token for _, token in people]
        self.owner_token = tokens[0]
        await self._make_room(tokens)
        # Each starts at another door, so that both processes are under load.
        how = (self.room, self.history)
        self.writers = [
            Writer(f"writer-{n}", self._doors(n), token, *how)
            for n, token in enumerate(tokens[1 : 1 + writers])
        ]
        self.followers = [
            Follower(f"follower-{n}", self._doors(n), token, *how)
            for n, token in enumerate(tokens[1 + writers :])
        ]
        self.following = [asyncio.create_task(f.run()) for f in self.followers]
        self.writing = [asyncio.create_task(w.run(self.stop, self.pause)) for w in self.writers]
        return self

    def _doors(self, start: int) -> Any:
        doors = self.installation.doors
        for _ in range(start):
            doors.next()
        return doors

    async def _make_room(self, tokens: list[str]) -> None:
        ids = []
        for token in tokens:
            async with await Client.connect(self.installation.here.ws, token=token) as client:
                ids.append(client.id)
        async with await Client.connect(self.installation.here.ws, token=tokens[0]) as owner:
            self.room = await owner.create("Storm", "private", members=ids[1:])

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        tasks = [*self.writing, *self.following]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        for actor in (*self.writers, *self.followers, *self.removed):
            await actor.drop()

    # While it blows

    @property
    def acknowledged(self) -> int:
        return self.history.acknowledged()

    async def more(self, count: int, seconds: float = 20) -> None:
        """Wait until so many more sends have been answered."""
        wanted = self.acknowledged + count
        deadline = time.monotonic() + seconds
        while self.acknowledged < wanted:
            self._raise_early()
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.acknowledged} of {wanted} answers in {seconds} s")
            await asyncio.sleep(0.02)

    def _raise_early(self) -> None:
        """A writer or follower that died of an exception fails the test at once."""
        for task in (*self.writing, *self.following):
            if task.done() and not task.cancelled() and task.exception():
                raise task.exception()  # type: ignore[misc]

    async def remove_a_follower(self) -> None:
        """The owner puts one of the followers out of the room."""
        removed = self.followers.pop()
        self.removed.append(removed)
        async with await Client.connect(self.installation.here.ws, token=self.owner_token) as owner:
            await owner.cmd("member.remove", room=self.room, member=removed.person)

    @staticmethod
    async def away(act: Callable[[], object]) -> None:
        """Do something that blocks, in a thread, so that the clients go on."""
        await asyncio.to_thread(act)

    # Afterwards

    async def violations(self, seconds: float = 30) -> list[Violation]:
        """Stop writing, let everybody converge, read the logs and check everything.

        I7 stands for those who did not converge within `seconds`.
        """
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.writing), 60)
        deadline = time.monotonic() + 30
        reader = await connect_patiently(self.installation.doors, self.owner_token, deadline)
        result = await reader.cmd("room.subscribe", room=self.room, limit=100)
        reached = await asyncio.gather(
            *(follower.reach(result["head"], seconds) for follower in self.followers),
            return_exceptions=True,
        )
        found = [Violation("I7", str(error)) for error in reached if error is not None]
        for writer in self.writers:
            await self.read_back(writer)
        messages = await read_whole(reader, self.room)
        await reader.close()
        logs = await asyncio.to_thread(read_logs, self.installation.here)
        found += check(self.history.lines, {self.room: logs[self.room]})
        stored = [(e.seq, e.key) for e in logs[self.room].entries if e.key]
        if stored != [(m["seq"], m["key"]) for m in messages]:
            found.append(Violation("I3", "history pages and the database differ"))
        return found

    async def read_back(self, writer: Writer) -> None:
        """What a writer himself reads now goes into the history, for I5."""
        client = await writer.connected()
        began = time.monotonic()
        result = await client.cmd("room.subscribe", room=self.room, limit=100)
        writer.note(
            "read",
            began=began,
            head=result["head"],
            low=low_of(result),
            messages=triples(result["messages"]),
        )

    async def proved(self, at_least: int) -> None:
        """No violation, everybody converged, and enough happened to mean something."""
        found = await self.violations(CONVERGED + 5)
        assert found == [], "\n".join(map(str, found[:20]))
        assert self.acknowledged >= at_least
        assert sum(f.loads for f in self.followers) >= len(self.followers)
        refusals = {code for writer in self.writers for code in writer.refusals}
        assert refusals <= {"unavailable", "rate_limited"}, refusals
