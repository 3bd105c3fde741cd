"""I7: how long each client took to have what was there to be had.

An event is known from the first answer or delivery that showed it. A follower is due to have it
from then on, or from his last connection where that was later, or from the last `healed` line:
what lies between is the time to converge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .history import Line
from .logs import Log
from .verdict import Violation


@dataclass
class _Follower:
    """One client following one room; `position` is None before its first snapshot."""

    person: str
    position: int | None = None
    connected: float = 0.0
    # Whether the history tells of his connections; else he connects whenever he reads.
    told: bool = False
    quit: bool = False


class Convergence:
    """The followers of all rooms, and the worst time that one took, in seconds."""

    def __init__(self, logs: Mapping[str, Log], deadline: float) -> None:
        self.worst = 0.0
        self._logs = logs
        self._deadline = deadline
        self._healed = 0.0
        # When each seq of a room was first seen by anybody.
        self._known: dict[str, dict[int, float]] = {}
        self._followers: dict[tuple[str, str], _Follower] = {}

    def take(self, line: Line) -> Iterator[Violation]:
        """What this line shows to be late."""
        match line["op"]:
            case "ok":
                self._learn(line, line["seq"])
            case "follow" | "connected":
                follower = self._follower(line)
                follower.connected, follower.told, follower.quit = line["t"], True, False
            case "quit":
                self._follower(line).quit = True
            case "healed":
                self._healed = line["t"]
            case "load":
                yield from self._load(line)
            case "resumed":
                self._began(line)
            case "recv":
                self._learn(line, line["seq"])
                yield from self._arrived(line, line["seq"])
            case "end":
                yield from self._end(line)

    def _follower(self, line: Line) -> _Follower:
        who = (line["client"], line["room"])
        found = self._followers.get(who)
        if found is None:
            found = self._followers[who] = _Follower(line["person"])
        found.person = line["person"] or found.person
        return found

    def _began(self, line: Line) -> _Follower:
        follower = self._follower(line)
        if not follower.told:
            follower.connected = line["began"]
        return follower

    def _learn(self, line: Line, seq: int) -> None:
        self._known.setdefault(line["room"], {}).setdefault(seq, line["t"])

    def _load(self, line: Line) -> Iterator[Violation]:
        follower = self._began(line)
        if follower.position is None:
            yield from self._took(line, follower.connected, "its first snapshot")
        elif line["head"] > follower.position:
            yield from self._arrived(line, follower.position + 1)
        follower.position = line["head"]

    def _arrived(self, line: Line, seq: int) -> Iterator[Violation]:
        follower = self._follower(line)
        known = self._known.get(line["room"], {})
        since = max(known[seq] if seq in known else line["t"], follower.connected)
        yield from self._took(line, since, f"seq {seq}")
        follower.position = max(seq, follower.position or 0)

    def _took(self, line: Line, since: float, what: str) -> Iterator[Violation]:
        seconds = line["t"] - max(since, self._healed)
        self.worst = max(self.worst, seconds)
        if seconds > self._deadline:
            yield Violation(
                "I7", f"{line['client']} had {what} of {line['room']} after {seconds:.1f} s"
            )

    def _end(self, line: Line) -> Iterator[Violation]:
        """The room's load is over: all who follow it are at its head."""
        log = self._logs.get(line["room"])
        known = self._known.get(line["room"], {})
        for (client, room), follower in self._followers.items():
            if room != line["room"] or follower.quit or follower.position == line["head"]:
                continue
            if log is not None and not log.admitted(follower.person, line["head"]):
                continue
            due = known.get((follower.position or 0) + 1, follower.connected)
            waited = line["t"] - max(due, follower.connected, self._healed)
            self.worst = max(self.worst, waited)
            yield Violation(
                "I7",
                f"{client} is at {follower.position} of {line['head']} in {room}"
                f" in the end, {waited:.1f} s after what it lacks was there",
            )
