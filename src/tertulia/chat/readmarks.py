"""`read.mark`: written at most once a second a member and room.

A mark that can be judged from memory is answered at once and written when its second comes;
one that cannot is answered when it is written. What a person reads of his own rooms is
preceded by a flush, so he never sees an older mark than he was told of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.protocol.errors import ProtocolError

from .actions import MarkRead
from .actions.reads import Marked

if TYPE_CHECKING:
    from tertulia.hub.connection import Connection

    from .people import Speaker
    from .runtime import Runtime

# Seconds between two writes of one member in one room.
PACE = 1.0

Key = tuple[int, str]
# Gets the seq that is read now, or the refusal.
Answer = Callable[["int | ProtocolError"], None]
# Told once the mark has been written and has changed something.
Written = Callable[[Marked], None]


class _Mark:
    """The highest mark that waits for its second, and who has not been answered yet."""

    __slots__ = ("answers", "seq", "speaker", "written")

    def __init__(self, speaker: Speaker, seq: int, written: Written) -> None:
        self.speaker = speaker
        self.seq = seq
        self.written = written
        self.answers: list[Answer] = []


class ReadMarks:
    """The marks of this process that have not been written yet."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # The highest mark that was accepted, while its second lasts.
        self._paced: dict[Key, int] = {}
        self._waiting: dict[Key, _Mark] = {}

    def mark(
        self, connection: Connection, slug: str, seq: int, answer: Answer, written: Written
    ) -> None:
        """`answer` is called once; `written` if the mark came to change something."""
        speaker: Speaker = connection.speaker
        key = (speaker.id, slug)
        if key not in self._paced:
            mark = _Mark(speaker, seq, written)
            mark.answers.append(answer)
            self._write(key, mark)
        elif self._plausible(connection, slug, seq):
            mark = self._waiting.setdefault(key, _Mark(speaker, seq, written))
            mark.seq = self._paced[key] = max(self._paced[key], mark.seq, seq)
            answer(mark.seq)
        else:
            # It may be refused, and must not take the marks that were accepted with it.
            self._submit(_alone(speaker, seq, answer, written), slug)

    def _plausible(self, connection: Connection, slug: str, seq: int) -> bool:
        """Whether memory is enough to know that this is a member, and a seq of the log."""
        for subscription in connection.subscriptions.values():
            if subscription.room.slug == slug and subscription.role is not None:
                return subscription.head is not None and seq <= max(
                    subscription.head, subscription.room.position
                )
        return False

    def _write(self, key: Key, mark: _Mark) -> None:
        self._paced[key] = mark.seq
        self._runtime.loop.call_later(PACE, self._pace_over, key)
        self._submit(mark, key[1])

    def _submit(self, mark: _Mark, slug: str) -> None:
        def done(outcome: Marked | ProtocolError) -> None:
            refused = isinstance(outcome, ProtocolError)
            for answer in mark.answers:
                answer(outcome if isinstance(outcome, ProtocolError) else outcome.read)
            if not refused and outcome.changed:  # type: ignore[union-attr]
                mark.written(outcome)  # type: ignore[arg-type]

        self._runtime.writer.submit(MarkRead(mark.speaker, slug, mark.seq), done)

    def _pace_over(self, key: Key) -> None:
        self._paced.pop(key, None)
        mark = self._waiting.pop(key, None)
        if mark is not None:
            self._write(key, mark)

    async def flush(self, participant_id: int) -> None:
        """Write what waits of this person, before his rooms are read."""
        for key in [key for key in self._waiting if key[0] == participant_id]:
            mark = self._waiting.pop(key)
            future: Any = self._runtime.loop.create_future()
            mark.answers.append(future.set_result)
            self._submit(mark, key[1])
            await future

    def flush_all(self) -> None:
        """The process ends: hand everything to the writer, which finishes its work first."""
        for key, mark in self._waiting.items():
            self._submit(mark, key[1])
        self._waiting.clear()


def _alone(speaker: Speaker, seq: int, answer: Answer, written: Written) -> _Mark:
    mark = _Mark(speaker, seq, written)
    mark.answers.append(answer)
    return mark
