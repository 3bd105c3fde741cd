"""`read.mark`: written at most once a second a member and room.

A mark that can be judged from memory is answered at once and written when its second comes;
one that cannot is answered when it is written. What a person reads of his own rooms is
preceded by a flush, so he never sees an older mark than he was told of.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from tertulia.protocol.errors import Code, ProtocolError, unavailable

from .actions import MarkRead
from .actions.reads import Marked

if TYPE_CHECKING:
    from tertulia.hub.connection import Connection

    from .people import Speaker
    from .runtime import Runtime

# Seconds between two writes of one member in one room.
PACE = 1.0
# Seconds for which a reading waits for marks on their way: a room may be held by somebody else.
PATIENCE = 1.0

Key = tuple[int, str]
# Gets the seq that is read now, or the refusal.
Answer = Callable[["int | ProtocolError"], None]
# Told once the mark has been written and has changed something, with the connection that made it:
# None where several did, none of which knows of the others' marks.
Written = Callable[[Marked, "Connection | None"], None]


class _Marks:
    """What waits for its second, of one person in one room."""

    __slots__ = ("accepted", "asked", "connection", "speaker", "written")

    def __init__(self, connection: Connection, written: Written) -> None:
        self.speaker: Speaker = connection.speaker
        self.written = written
        self.connection: Connection | None = connection
        # The highest mark that was answered already; 0 for none.
        self.accepted = 0
        # Marks that are answered when they have been judged.
        self.asked: list[tuple[int, Answer]] = []

    @property
    def highest(self) -> int:
        """The one mark that is written for all of them."""
        return max([self.accepted, *(seq for seq, _ in self.asked)])

    def answer(self, outcome: int | ProtocolError, down_to: int = 0) -> None:
        """Answer the marks that are not below `down_to`."""
        due = [answer for seq, answer in self.asked if seq >= down_to]
        self.asked = [mark for mark in self.asked if mark[0] < down_to]
        for answer in due:
            answer(outcome)


class ReadMarks:
    """The marks of this process that have not been written yet."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # The highest mark that is written or accepted, while its second lasts.
        self._paced: dict[Key, int] = {}
        self._waiting: dict[Key, _Marks] = {}
        # With the writer at this moment; of each the last that was given to it.
        self._flying: dict[Key, asyncio.Event] = {}

    def mark(
        self, connection: Connection, slug: str, seq: int, answer: Answer, written: Written
    ) -> None:
        """`answer` is called once; `written` if the mark came to change something."""
        speaker: Speaker = connection.speaker
        key = (speaker.id, slug)
        marks = self._waiting.get(key) or _Marks(connection, written)
        if marks.connection is not connection:
            marks.connection = None
        if key in self._paced:
            self._waiting[key] = marks
            if self._plausible(connection, slug, seq):
                marks.accepted = max(marks.accepted, seq)
                self._paced[key] = max(self._paced[key], seq)
                answer(self._paced[key])
                return
            marks.asked.append((seq, answer))
            return
        marks.asked.append((seq, answer))
        self._write(key, marks)

    def _plausible(self, connection: Connection, slug: str, seq: int) -> bool:
        """Whether memory is enough to know that this is a member, and a seq of the log."""
        for subscription in connection.subscriptions:
            if subscription.room.slug == slug and subscription.role is not None:
                return subscription.head is not None and seq <= max(
                    subscription.head, subscription.room.position
                )
        return False

    def _write(self, key: Key, marks: _Marks) -> asyncio.Event:
        """Write the highest; the event comes when that is done, whatever came of it."""
        seq, epoch = marks.highest, self._runtime.epoch
        over = self._flying[key] = asyncio.Event()
        self._paced[key] = max(self._paced.get(key, 0), marks.accepted)
        self._runtime.loop.call_later(PACE, self._pace_over, key)

        def done(outcome: Marked | ProtocolError) -> None:
            try:
                if epoch == self._runtime.epoch:
                    self._done(key, marks, seq, outcome)
                else:
                    # Of the history before: nothing of it is remembered, or tried again, here.
                    marks.answer(outcome.read if isinstance(outcome, Marked) else outcome)
            finally:
                if self._flying.get(key) is over:
                    del self._flying[key]
                over.set()

        self._runtime.writer.submit(MarkRead(marks.speaker, key[1], seq), done)
        return over

    def _done(self, key: Key, marks: _Marks, seq: int, outcome: Marked | ProtocolError) -> None:
        if not isinstance(outcome, ProtocolError):
            if key in self._paced:
                self._paced[key] = max(self._paced[key], outcome.read)
            marks.answer(outcome.read)
            if outcome.changed:
                marks.written(outcome, marks.connection)
            return
        # Above the head: that one is refused, and the lower ones have their turn. Else all are.
        marks.answer(outcome, down_to=seq if outcome.code is Code.INVALID else 0)
        if marks.asked or (marks.accepted and outcome.code in (Code.INVALID, Code.UNAVAILABLE)):
            later = self._waiting.setdefault(key, marks)
            if later is not marks:
                later.asked += marks.asked
                later.accepted = max(later.accepted, marks.accepted)
                if later.connection is not marks.connection:
                    later.connection = None
            if key not in self._paced:
                self._paced[key] = marks.accepted
                self._runtime.loop.call_later(PACE, self._pace_over, key)

    def _pace_over(self, key: Key) -> None:
        self._paced.pop(key, None)
        marks = self._waiting.pop(key, None)
        if marks is not None:
            self._write(key, marks)

    async def flush(self, participant_id: int, slug: str | None = None) -> None:
        """Write what waits of this person, before his rooms are read; or this one of them."""

        def meant(key: Key) -> bool:
            return key[0] == participant_id and slug in (None, key[1])

        for key in filter(meant, list(self._waiting)):
            self._write(key, self._waiting.pop(key))
        flying = [over for key, over in self._flying.items() if meant(key)]
        if not flying:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                # The writer takes them in their order.
                for over in flying:
                    await over.wait()

    def forget(self) -> None:
        """The history is another one, of which nobody here has read anything yet."""
        for marks in self._waiting.values():
            marks.answer(unavailable("A backup was restored at this moment."))
        self._waiting.clear()
        self._paced.clear()

    def flush_all(self) -> None:
        """The process ends: hand everything to the writer, which finishes its work first."""
        for key, marks in list(self._waiting.items()):
            self._write(key, marks)
        self._waiting.clear()
