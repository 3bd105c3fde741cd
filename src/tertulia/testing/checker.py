"""Checks a history against the log that is kept in the end.

I1  every acknowledged message is in the log
I2  no (sender, key) twice, in the log or in what any client applied
I3  all clients applied one order, a prefix of the log's
I4  seq is 1 ... N without gaps, stored and applied
I5  who was answered sees his message in every later read
I6  no event reaches somebody who is not admitted at its seq
I7  everybody converges within the deadline
I8  memory is bounded, and no outbox is stuck

One pass over the history. What is kept meanwhile grows with the log (about 1 kB a message)
and with the number of clients, not with the length of the history.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .convergence import Convergence
from .history import Line
from .logs import Entry, Log
from .resources import Resources
from .verdict import Verdict, Violation

__all__ = ["ALLOWANCE", "DEADLINE", "Entry", "Log", "Verdict", "Violation", "check"]

# Seconds; the contract's figure.
DEADLINE = 5.0
# Bytes that a server process may grow over its first sample: the 64 MiB of pages that SQLite keeps
# for the writer, and as much again for all else (the readers' pages, rooms, renderings, a handful
# of sockets that do not read). A load with many such sockets has to allow for them.
ALLOWANCE = 128 * 1024 * 1024


def check(
    history: Iterable[Line],
    logs: Mapping[str, Log],
    *,
    deadline: float = DEADLINE,
    allowance: int = ALLOWANCE,
) -> Verdict:
    """Everything that is wrong with a history, by I1 to I8.

    `history`: lines in the order of their times (a recorder's own, or `history.merged`); read
    once. `logs`: by room, every room that the history speaks of. `deadline`: seconds for I7;
    `allowance`: bytes for I8. ValueError: the lines are not in order.
    """
    verdict = Verdict()
    for log in logs.values():
        verdict.add(_stored(log))
    rooms = _Rooms(logs, deadline)
    resources = Resources(allowance)
    last = -sys.float_info.max
    for line in history:
        if line["t"] < last:
            raise ValueError(f"the history goes back in time at {line}")
        last = line["t"]
        verdict.add(rooms.take(line))
        verdict.add(resources.take(line))
    verdict.add(resources.close())
    verdict.acknowledged = rooms.acknowledged
    verdict.removed = rooms.removed()
    verdict.converged = rooms.convergence.worst
    verdict.growth = resources.growth
    return verdict


def _stored(log: Log) -> Iterator[Violation]:
    """The log by itself: no gaps, no key twice."""
    for due, entry in enumerate(log.entries, 1):
        if entry.seq != due:
            yield Violation("I4", f"{log.room}: seq {entry.seq} is stored where {due} is due")
            break
    seen: dict[tuple[str, str], int] = {}
    for entry in log.entries:
        if entry.key is None:
            continue
        before = seen.setdefault((entry.actor, entry.key), entry.seq)
        if before != entry.seq:
            yield Violation("I2", f"{log.room}: {entry.key} is stored as {before} and {entry.seq}")


@dataclass
class _Applied:
    """Where one client stands in one room: what it has applied since its last snapshot."""

    position: int | None = None
    # The head of the last snapshot or resume: what is read back is judged at it.
    head: int | None = None
    seqs: set[int] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class _Answered:
    """What one person was answered in one room: by time with the highest seq so far, and by seq."""

    times: list[float] = field(default_factory=list)
    highest: list[int] = field(default_factory=list)
    by_seq: list[tuple[int, float, str]] = field(default_factory=list)

    def add(self, time: float, seq: int, key: str) -> None:
        self.times.append(time)
        self.highest.append(max(seq, self.highest[-1] if self.highest else 0))
        insort(self.by_seq, (seq, time, key))

    def highest_before(self, time: float) -> int:
        at = bisect_left(self.times, time) - 1
        return self.highest[at] if at >= 0 else 0


class _Rooms:
    """The state of all clients while their lines pass."""

    def __init__(self, logs: Mapping[str, Log], deadline: float) -> None:
        self.logs = logs
        self.acknowledged = 0
        self.convergence = Convergence(logs, deadline)
        # Who was given something of which room.
        self._listeners: set[tuple[str, str]] = set()
        self._applied: dict[tuple[str, str], _Applied] = {}
        self._answered: dict[tuple[str, str], _Answered] = {}
        self._judges: dict[str, Callable[[Line, Log], Iterator[Violation]]] = {
            "ok": self._ok,
            "load": self._load,
            "resumed": self._resumed,
            "recv": self._recv,
            "read": self._read,
            "end": self._end,
        }

    def take(self, line: Line) -> Iterator[Violation]:
        """What this line shows to be wrong."""
        judge = self._judges.get(line["op"])
        if judge is not None:
            log = self.logs.get(line["room"])
            if log is None:
                yield Violation("I1", f"{line['room']} has no log, and {line['client']} was there")
                return
            yield from judge(line, log)
        yield from self.convergence.take(line)

    def removed(self) -> int:
        """How many of those who listened in a private room have left it, or were put out."""
        gone = {
            (entry.member, room)
            for room, log in self.logs.items()
            if log.private
            for entry in log.entries
            if entry.kind == "member.left"
        }
        return len(gone & self._listeners)

    def _client(self, line: Line) -> _Applied:
        self._listeners.add((line["person"], line["room"]))
        return self._applied.setdefault((line["client"], line["room"]), _Applied())

    def _ok(self, line: Line, log: Log) -> Iterator[Violation]:
        self.acknowledged += 1
        answered = self._answered.setdefault((line["person"], line["room"]), _Answered())
        entry = log.by_seq.get(line["seq"])
        if entry is None:
            yield Violation("I1", f"{line['room']}: acknowledged {line['seq']} is not in the log")
            answered.add(line["t"], line["seq"], line["key"])
            return
        if (entry.key, entry.actor) != (line["key"], line["person"]):
            yield Violation("I1", f"{line['room']}: {line['seq']} is another message in the log")
        answered.add(line["t"], line["seq"], line["key"])

    def _load(self, line: Line, log: Log) -> Iterator[Violation]:
        state = self._client(line)
        state.position = state.head = line["head"]
        state.seqs, state.keys = set(), set()
        for seq, key, author in line["messages"]:
            entry = log.by_seq.get(seq)
            if not _mark(state.keys, author, key, entry):
                yield Violation("I2", f"{line['client']} loaded {key} twice")
            yield from _same(line, entry, seq, "message.created", author, key)
        yield from self._read(line, log)

    def _resumed(self, line: Line, log: Log) -> Iterator[Violation]:
        self._client(line).head = line["head"]
        yield from self._read(line, log)

    def _recv(self, line: Line, log: Log) -> Iterator[Violation]:
        state = self._client(line)
        entry = log.by_seq.get(line["seq"])
        yield from _step(line, state, entry)
        yield from _same(line, entry, line["seq"], line["kind"], line["author"], line.get("key"))
        # Live events are judged at their own seq; what is read back, at the head that was read.
        at = line["seq"]
        if line["via"] == "resume" and state.head is not None:
            at = state.head
        yield from _admitted(line, log, at)

    def _read(self, line: Line, log: Log) -> Iterator[Violation]:
        """A read that began after an answer covers it: head not below it, and the message in it."""
        yield from _admitted(line, log, line["head"])
        answered = self._answered.get((line["person"], line["room"]))
        if answered is None:
            return
        highest = answered.highest_before(line["began"])
        if highest > line["head"]:
            yield Violation("I5", f"{line['client']} was answered {highest}, then read "
                            f"a head of {line['head']}")  # fmt: skip
        if "low" not in line:
            return
        keys = {key for _, key, _ in line["messages"]}
        first = bisect_left(answered.by_seq, (line["low"],))
        for seq, time, key in answered.by_seq[first:]:
            if time < line["began"] and seq <= line["head"] and key not in keys:
                yield Violation("I5", f"{line['client']} was answered {seq}, then did not see it")

    def _end(self, line: Line, log: Log) -> Iterator[Violation]:
        if line["head"] != log.head:
            yield Violation(
                "I4", f"{log.room}: the log ends at {log.head}, and its head is {line['head']}"
            )


def _mark(keys: set[tuple[str, str]], author: str, key: str, entry: Entry | None) -> bool:
    """Remember a message; False where it was there. The log's own strings are kept, once."""
    identity = (author, key)
    if entry is not None and entry.key == key and entry.actor == author:
        identity = (entry.actor, entry.key)
    if identity in keys:
        return False
    keys.add(identity)
    return True


def _step(line: Line, state: _Applied, entry: Entry | None) -> Iterator[Violation]:
    """The event is the next one of its client, and its key a new one."""
    seq, position = line["seq"], state.position
    where = f"{line['client']} in {line['room']}"
    if seq in state.seqs:
        yield Violation("I2", f"{where} applied {seq} twice")
    elif position is not None and seq <= position:
        yield Violation("I3", f"{where} applied {seq} after {position}")
    elif position is not None and seq > position + 1:
        yield Violation("I4", f"{where} applied {seq} right after {position}")
    state.seqs.add(seq)
    state.position = max(seq, position or 0)
    if line["kind"] == "message.created" and not _mark(
        state.keys, line["author"], line["key"], entry
    ):
        yield Violation("I2", f"{where} applied {line['key']} twice")


def _same(
    line: Line, entry: Entry | None, seq: int, kind: str, author: str, key: str | None
) -> Iterator[Violation]:
    """What was applied as `seq` is what the log holds as `seq`."""
    if entry is None:
        yield Violation("I3", f"{line['client']} applied {seq}, which the log does not have")
    elif (entry.kind, entry.actor, entry.key) != (kind, author, key):
        yield Violation("I3", f"{line['client']} applied something else as {seq} than the log has")


def _admitted(line: Line, log: Log, seq: int) -> Iterator[Violation]:
    if not log.admitted(line["person"], seq):
        yield Violation("I6", f"{line['client']} got seq {seq} of {line['room']}, not admitted")
