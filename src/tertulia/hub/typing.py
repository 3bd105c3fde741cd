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


class Typing:
    """The people of this process who write in one room."""

    __slots__ = ("_room", "_writing")

    def __init__(self, room: LiveRoom) -> None:
        self._room = room
        self._writing: dict[str, asyncio.TimerHandle] = {}

    def start(self, person: Person) -> None:
        """Told to the others once; a repetition only prolongs it."""
        handle = self._writing.pop(person.id, None)
        if handle is not None:
            handle.cancel()
        else:
            self._tell(encode(TypingStarted(room=self._room.slug, who=person)), person)
        loop = self._room.hub.loop
        self._writing[person.id] = loop.call_later(LASTS, self.stop, person)

    def stop(self, person: Person) -> None:
        """He has stopped or gone; a client says so when it sends, too."""
        handle = self._writing.pop(person.id, None)
        if handle is not None:
            handle.cancel()
            self._tell(encode(TypingStopped(room=self._room.slug, who=person)), person)

    def _tell(self, payload: bytes, person: Person) -> None:
        self._room.pass_frame(payload, but=person.id)
        self._room.hub.spread_frame(self._room, payload, but=person.id)
