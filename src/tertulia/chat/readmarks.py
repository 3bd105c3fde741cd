"""`read.mark`: written at most once a second a member and room, answered when it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .actions import MarkRead

if TYPE_CHECKING:
    from .people import Speaker
    from .runtime import Runtime

# Seconds between two writes of one member in one room.
PACE = 1.0

Answer = Callable[[Any], None]


class ReadMarks:
    """Marks that wait for their second; the highest is written for all of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._paced: set[tuple[int, str]] = set()
        self._waiting: dict[tuple[int, str], list[tuple[int, Answer]]] = {}

    def mark(self, speaker: Speaker, slug: str, seq: int, answer: Answer) -> None:
        """`answer` gets the action's `Marked` or a `ProtocolError`."""
        key = (speaker.id, slug)
        if key in self._paced:
            self._waiting.setdefault(key, []).append((seq, answer))
            return
        self._paced.add(key)
        self._runtime.loop.call_later(PACE, self._pace_over, speaker, slug)
        self._runtime.writer.submit(MarkRead(speaker, slug, seq), answer)

    def _pace_over(self, speaker: Speaker, slug: str) -> None:
        key = (speaker.id, slug)
        self._paced.discard(key)
        waiting = self._waiting.pop(key, [])
        if not waiting:
            return
        self._paced.add(key)
        self._runtime.loop.call_later(PACE, self._pace_over, speaker, slug)
        # Highest first: the lower ones then change nothing, and one that is too high for
        # the room is refused by itself.
        for seq, answer in sorted(waiting, key=lambda mark: -mark[0]):
            self._runtime.writer.submit(MarkRead(speaker, slug, seq), answer)
