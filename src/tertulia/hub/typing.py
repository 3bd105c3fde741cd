"""Who is writing in a room. Nothing of it is kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tertulia.protocol.codec import encode
from tertulia.protocol.events import Person, TypingStarted, TypingStopped

if TYPE_CHECKING:
    from .room import LiveRoom

# Seconds after which somebody who says nothing more of it has stopped.
LASTS = 8.0
# Seconds after which that he writes on is told again: those who heard of it believe it for no
# longer than LASTS, and others have come in. Less than the 4 s after which the page repeats it.
TOLD_AGAIN = 3.0


class Typing:
    """The people of this process who write in one room."""

    __slots__ = ("_room", "_writing")

    def __init__(self, room: LiveRoom) -> None:
        self._room = room
        # By id: what ends it, and when it was told (the loop's time).
        self._writing: dict[str, tuple[asyncio.TimerHandle, float]] = {}

    def start(self, person: Person) -> None:
        """Told to the others; a repetition prolongs it, and is told once in a while."""
        loop = self._room.hub.loop
        now = loop.time()
        told = self._end(person)
        if told is None or now - told >= TOLD_AGAIN:
            self._tell(encode(TypingStarted(room=self._room.slug, who=person)), person)
            told = now
        self._writing[person.id] = (loop.call_later(LASTS, self.stop, person), told)

    def stop(self, person: Person) -> None:
        """He has stopped or gone; a client says so when it sends, too."""
        if self._end(person) is not None:
            self._tell(encode(TypingStopped(room=self._room.slug, who=person)), person)

    def _end(self, person: Person) -> float | None:
        """When it was told that he writes, which he does no more; None: he did not."""
        handle, told = self._writing.pop(person.id, (None, None))
        if handle is not None:
            handle.cancel()
        return told

    def _tell(self, payload: bytes, person: Person) -> None:
        self._room.pass_frame(payload, but=person.id)
        self._room.hub.spread_frame(self._room, payload, but=person.id)
