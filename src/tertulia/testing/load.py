"""Load on one room from clients that never give up, and the proof afterwards.

It knows the installation by its addresses and its people's tokens alone; `storm.Storm` is the
same for installations that the caller has started, `prove.Proof` for one that runs elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .checker import ALLOWANCE, DEADLINE, Log, Verdict, Violation, check
from .client import Client, new_key
from .history import History
from .memory import resident
from .workload import (
    BROKEN,
    Doors,
    Follower,
    Writer,
    connect_patiently,
    read_whole,
)

# Seconds between two samples of the memory of the processes.
SAMPLE = 0.5
# Seconds for which a server that goes away with the room is waited for.
BEGINNING = 15.0


class Load:
    """Writers who send without pause until answered, and followers who resume for ever.

    async with ... as load:
        ...break things...
        verdict = await load.verdict()
    """

    def __init__(
        self,
        doors: Doors,
        *,
        writers: int = 4,
        followers: int = 3,
        pause: float = 0.004,
        deadline: float = DEADLINE,
        allowance: int = ALLOWANCE,
        history: Path | None = None,
        writer: type[Writer] = Writer,
    ) -> None:
        """`pause`: seconds between two sends of a writer, on average. `deadline` and `allowance`
        are the checker's. `history`: a file to record into, for runs that memory does not hold."""
        self.doors = doors
        self.history = History(history)
        self.room = ""
        self.pause = pause
        self.deadline = deadline
        self.allowance = allowance
        self.owner_token = ""
        self.stop = asyncio.Event()
        self.counts = (writers, followers)
        self.writers: list[Writer] = []
        self.followers: list[Follower] = []
        # Followers of whom it is no longer expected that they see everything.
        self.removed: list[Follower] = []
        self.writing: list[asyncio.Task[int]] = []
        self.following: list[asyncio.Task[None]] = []
        self._sampling: asyncio.Task[None] | None = None
        self._writer = writer

    # What kinds of installations differ in

    async def tokens(self, count: int) -> Sequence[str]:
        """Bearer tokens of so many different people."""
        raise NotImplementedError

    async def logs(self) -> dict[str, Log]:
        """The final log of the room, when nobody writes any more."""
        raise NotImplementedError

    def processes(self) -> list[tuple[str, int]]:
        """(server, pid) of the server processes whose memory is to be watched."""
        return []

    # Its life

    async def __aenter__(self) -> Load:
        writers, followers = self.counts
        tokens = await self.tokens(1 + writers + followers)
        self.owner_token = tokens[0]
        await self.make_room(tokens)
        # Each starts at another door, so that all processes are under load.
        how = (self.room, self.history)
        self.writers = [
            self._writer(f"writer-{n}", self._doors(n), token, *how)
            for n, token in enumerate(tokens[1 : 1 + writers])
        ]
        self.followers = [
            Follower(f"follower-{n}", self._doors(n), token, *how)
            for n, token in enumerate(tokens[1 + writers : 1 + writers + followers])
        ]
        self._sampling = asyncio.create_task(self._sample())
        self.following = [asyncio.create_task(f.run()) for f in self.followers]
        self.writing = [asyncio.create_task(w.run(self.stop, self.pause)) for w in self.writers]
        return self

    def _doors(self, start: int) -> Doors:
        doors = Doors(*self.doors.all)
        for _ in range(start):
            doors.next()
        return doors

    async def make_room(self, tokens: Sequence[str]) -> None:
        """A private room of the first one's, with the others in it."""
        ids = []
        for token in tokens[1:]:
            async with await Client.connect(self.doors.all[0], token=token) as client:
                ids.append(client.id)
        # A server that kills itself now and then may do so here; the key makes it one room.
        key, until = new_key(), time.monotonic() + BEGINNING
        while not self.room:
            try:
                await self._make_room(tokens[0], ids, key)
            except BROKEN:
                self.room = ""
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(0.2)

    async def _make_room(self, token: str, ids: list[str], key: str) -> None:
        async with await Client.connect(self.doors.all[0], token=token) as owner:
            self.room = await owner.create("Storm", "private", members=ids, key=key)
            await self.made(owner, ids)

    async def made(self, owner: Client, members: list[str]) -> None:
        """The room has just been made; the owner's connection is still open."""

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        tasks = [*self.writing, *self.following, *([self._sampling] if self._sampling else [])]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        for actor in (*self.writers, *self.followers, *self.removed):
            await actor.drop()
        self.history.close()

    async def _sample(self) -> None:
        while True:
            for server, pid in self.processes():
                size = resident(pid)
                if size:
                    self.history.add("memory", server, "", self.room, pid=pid, bytes=size)
            await asyncio.sleep(SAMPLE)

    # While it blows

    @property
    def acknowledged(self) -> int:
        """Sends answered so far."""
        return self.history.acknowledged()

    async def more(self, count: int, seconds: float = 60) -> None:
        """Wait until so many more sends have been answered; AssertionError after `seconds`."""
        wanted = self.acknowledged + count
        deadline = time.monotonic() + seconds
        while self.acknowledged < wanted:
            self.raise_early()
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.acknowledged} of {wanted} answers in {seconds} s")
            await asyncio.sleep(0.02)

    def raise_early(self) -> None:
        """A writer or follower that died of an exception ends the run at once."""
        for task in (*self.writing, *self.following):
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error

    async def remove_a_follower(self) -> None:
        """The owner puts one of the followers out of the room, who has begun to listen."""
        removed = self.followers.pop()
        self.removed.append(removed)
        await removed.reach(0)
        async with await Client.connect(self.doors.all[0], token=self.owner_token) as owner:
            answer = await owner.cmd("member.remove", room=self.room, member=removed.person)
            self.moved(answer["event"], owner.id, removed.person)

    def moved(self, seq: int, owner: str, member: str) -> None:
        """A member was removed, by the event `seq`."""

    def healed(self) -> None:
        """What was broken works again: the time to converge is counted from here on.

        Only for faults with which nobody can converge, such as a database that is away.
        """
        self.history.add("healed", "", "", self.room)

    @staticmethod
    async def away(act: Callable[[], object]) -> None:
        """Do something that blocks, in a thread, so that the clients go on."""
        await asyncio.to_thread(act)

    # Afterwards

    async def verdict(self, seconds: float | None = None) -> Verdict:
        """Stop writing, let everybody converge, read the log and check everything.

        `seconds`: how long everybody may take to converge after the last answer (the deadline
        and five more unless given); who then is not there is a violation of I7.
        """
        await self.quiet()
        reader = await connect_patiently(self.doors, self.owner_token, time.monotonic() + 30)
        try:
            await self._converge(reader, self.deadline + 5 if seconds is None else seconds)
            for writer in self.writers:
                await self.read_back(writer)
            messages = await read_whole(reader, self.room)
        finally:
            await reader.close()
        logs = await self.logs()
        verdict = await asyncio.to_thread(
            check, self.history, logs, deadline=self.deadline, allowance=self.allowance
        )
        if [(e.seq, e.key) for e in logs[self.room].keyed()] != messages:
            verdict.add([Violation("I3", "pages of history and the log differ")])
        return verdict

    async def quiet(self, seconds: float = 60) -> None:
        """Stop writing, each writer after his last answer; TimeoutError after `seconds`."""
        self.stop.set()
        await asyncio.wait_for(asyncio.gather(*self.writing), seconds)

    async def abandon(self, seconds: float) -> None:
        """Stop writing, whatever has become of the writers and of what was broken: who has no
        answer within `seconds` has none. `verdict()` may follow, as after `quiet`."""
        self.stop.set()
        if self.writing:
            _, waiting = await asyncio.wait(self.writing, timeout=seconds)
            while waiting:
                # `asyncio.wait_for` loses a cancellation that comes with its result (cpython
                # issue 86296), and who then tries again tries for ever.
                for task in waiting:
                    task.cancel()
                _, waiting = await asyncio.wait(waiting, timeout=0.5)
            await asyncio.gather(*self.writing, return_exceptions=True)
        self.writing = []
        self.healed()

    async def _converge(self, reader: Client, seconds: float) -> None:
        """Wait until every follower is at the head, then say in the history that it is over."""
        # A page of history brings the head without waking the room's live side, as a
        # subscription would.
        page = await reader.cmd("history.list", room=self.room, limit=1)
        head = int(page["head"])
        await asyncio.gather(
            *(follower.reach(head, seconds) for follower in self.followers),
            return_exceptions=True,
        )
        self.history.add("end", "", "", self.room, head=head)

    async def violations(self, seconds: float | None = None) -> list[Violation]:
        """The violations of `verdict` alone."""
        return (await self.verdict(seconds)).violations

    async def read_back(self, writer: Writer) -> None:
        """What a writer himself reads now goes into the history, for I5."""
        # By a new connection: a fragile one may still be about to break.
        await writer.drop()
        client = await writer.connected()
        began = time.monotonic()
        result = await client.cmd("room.subscribe", room=self.room, limit=100)
        writer.note_read(began, result)

    async def proved(self, at_least: int) -> Verdict:
        """No violation, everybody converged, and enough happened to mean something."""
        verdict = await self.verdict()
        assert verdict.passed, verdict.explained()
        assert self.acknowledged >= at_least
        assert sum(f.loads for f in self.followers) >= len(self.followers)
        refusals = {code for writer in self.writers for code in writer.refusals}
        assert refusals <= {"unavailable", "rate_limited"}, refusals
        return verdict
