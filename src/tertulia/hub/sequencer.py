"""The order of one room's events: pass on the next, hold what is ahead of a gap."""

from __future__ import annotations

import msgspec

HELD_LIMIT = 1_000


class LogEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One encoded event of a room's log, with what the hub must know of it.

    `payload` is the JSON for every recipient. `member` (a public id) and `role` stand for
    `member.*`. `ends`: after this event `member` may no longer read the room.
    """

    seq: int
    kind: str
    payload: bytes
    member: str | None = None
    role: str | None = None
    ends: bool = False


class Sequencer:
    """Invariant: what `offer` returned so far is start+1, start+2, … without gap or repeat."""

    __slots__ = ("_held", "position")

    def __init__(self) -> None:
        self.position: int | None = None
        self._held: dict[int, LogEvent] = {}

    def start(self, position: int) -> list[LogEvent]:
        """Everything up to `position` is known to the readers; returns what may follow it."""
        self.position = position
        for seq in [seq for seq in self._held if seq <= position]:
            del self._held[seq]
        return self._release()

    def offer(self, events: list[LogEvent]) -> list[LogEvent]:
        """Take events in any order; return those whose turn has come, in order.

        Beyond `HELD_LIMIT` the news ahead of a gap are dropped: the log has them. Before
        the start is known, everything is ahead of a gap.
        """
        ready: list[LogEvent] = []
        for event in events:
            if self.position is not None and event.seq == self.position + 1:
                # The next one is never held, however much is: it is what closes the gap.
                self.position = event.seq
                ready.append(event)
                if self._held:
                    ready += self._release()
            elif (self.position or 0) < event.seq and len(self._held) < HELD_LIMIT:
                self._held[event.seq] = event
        return ready

    def _release(self) -> list[LogEvent]:
        ready: list[LogEvent] = []
        position = self.position or 0
        while (event := self._held.pop(position + 1, None)) is not None:
            ready.append(event)
            position += 1
        self.position = position
        return ready

    @property
    def waiting(self) -> bool:
        """Whether something is held ahead of a gap."""
        return bool(self._held)
