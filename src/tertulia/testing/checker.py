"""Checks a history against the log that the database holds in the end.

I1  every acknowledged message is in the log
I2  no (sender, key) twice, in the log or in what any client applied
I3  all clients applied one order, a prefix of the log's
I4  seq is 1 ... N without gaps, stored and applied
I5  who was answered sees his message in every later read
I6  no event reaches somebody who is not admitted at its seq
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .history import Line


@dataclass(frozen=True)
class Entry:
    """One event of the final log. `key` only for message.created, `member` only for member.*."""

    seq: int
    kind: str
    actor: str
    key: str | None = None
    member: str | None = None


@dataclass
class Log:
    """One room's final log, in the order in which the database numbers it."""

    room: str
    entries: list[Entry]
    private: bool = False
    by_seq: dict[int, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_seq = {entry.seq: entry for entry in self.entries}

    def admitted(self, person: str, seq: int) -> bool:
        """Is the person in the room when `seq` is delivered? His removal itself he may see."""
        if not self.private:
            return True
        inside = False
        for entry in self.entries:
            if entry.seq > seq:
                break
            if entry.member == person and entry.kind == "member.joined":
                inside = True
            elif entry.member == person and entry.kind == "member.left":
                inside = entry.seq == seq
        return inside


@dataclass(frozen=True)
class Violation:
    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def check(history: Iterable[Line], logs: dict[str, Log]) -> list[Violation]:
    """Every violation of I1 to I6; an empty list is the proof."""
    lines = sorted(history, key=lambda line: line["t"])
    found = [v for log in logs.values() for v in _stored(log)]
    found += _acknowledged(lines, logs)
    found += _applied(lines, logs)
    found += _read_back(lines)
    found += _admitted(lines, logs)
    return found


def _stored(log: Log) -> Iterator[Violation]:
    """The log by itself: no gaps, no key twice."""
    seqs = [entry.seq for entry in log.entries]
    if seqs != list(range(1, len(seqs) + 1)):
        wrong = next((n, s) for n, s in enumerate(seqs, 1) if n != s)
        yield Violation("I4", f"{log.room}: seq {wrong[1]} is stored where {wrong[0]} is due")
    seen: dict[tuple[str, str], int] = {}
    for entry in log.entries:
        if entry.key is None:
            continue
        before = seen.setdefault((entry.actor, entry.key), entry.seq)
        if before != entry.seq:
            yield Violation("I2", f"{log.room}: {entry.key} is stored as {before} and {entry.seq}")


def _acknowledged(lines: list[Line], logs: dict[str, Log]) -> Iterator[Violation]:
    for line in lines:
        if line["op"] != "ok":
            continue
        entry = logs[line["room"]].by_seq.get(line["seq"])
        if entry is None:
            yield Violation("I1", f"{line['room']}: acknowledged {line['seq']} is not in the log")
        elif (entry.key, entry.actor) != (line["key"], line["person"]):
            yield Violation("I1", f"{line['room']}: {line['seq']} is another message in the log")


@dataclass
class _Applied:
    """Where one client stands in one room."""

    position: int | None = None
    seqs: set[int] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)


def _applied(lines: list[Line], logs: dict[str, Log]) -> Iterator[Violation]:
    """What each client applied: each event once, one after the other, as the log has it."""
    clients: dict[tuple[str, str], _Applied] = defaultdict(_Applied)
    for line in lines:
        state = clients[line["client"], line["room"]]
        log = logs.get(line["room"])
        if line["op"] == "load":
            state.position, state.seqs, state.keys = line["head"], set(), set()
            for seq, key, author in line["messages"]:
                if (author, key) in state.keys:
                    yield Violation("I2", f"{line['client']} loaded {key} twice")
                state.keys.add((author, key))
                yield from _same(line, log, seq, "message.created", author, key)
        elif line["op"] == "recv":
            yield from _step(line, state)
            yield from _same(line, log, line["seq"], line["kind"], line["author"], line.get("key"))


def _step(line: Line, state: _Applied) -> Iterator[Violation]:
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
    if line["kind"] == "message.created":
        identity = (line["author"], line["key"])
        if identity in state.keys:
            yield Violation("I2", f"{where} applied {line['key']} twice")
        state.keys.add(identity)


def _same(
    line: Line, log: Log | None, seq: int, kind: str, author: str, key: str | None
) -> Iterator[Violation]:
    """What was applied as `seq` is what the log holds as `seq`."""
    entry = log.by_seq.get(seq) if log else None
    if entry is None:
        yield Violation("I3", f"{line['client']} applied {seq}, which the log does not have")
    elif (entry.kind, entry.actor, entry.key) != (kind, author, key):
        yield Violation("I3", f"{line['client']} applied something else as {seq} than the log has")


def _read_back(lines: list[Line]) -> Iterator[Violation]:
    """A read that began after an answer covers it: head not below it, and the message in it."""
    answered: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line["op"] == "ok":
            answered[line["person"], line["room"]].append(line)
    for line in lines:
        if line["op"] not in ("load", "read", "resumed"):
            continue
        keys = {key for _, key, _ in line.get("messages", ())}
        for ok in answered[line["person"], line["room"]]:
            if ok["t"] >= line["began"]:
                continue
            if ok["seq"] > line["head"]:
                yield Violation("I5", f"{line['client']} was answered {ok['seq']}, then read "
                                f"a head of {line['head']}")  # fmt: skip
            elif "low" in line and ok["seq"] >= line["low"] and ok["key"] not in keys:
                yield Violation(
                    "I5", f"{line['client']} was answered {ok['seq']}, then did not see it"
                )


def _admitted(lines: list[Line], logs: dict[str, Log]) -> Iterator[Violation]:
    """Live events are judged at their own seq; what is read back, at the head that was read."""
    heads: dict[tuple[str, str], int] = {}
    for line in lines:
        log = logs.get(line["room"])
        if log is None:
            continue
        if line["op"] in ("load", "resumed", "read"):
            heads[line["client"], line["room"]] = line["head"]
            at = line["head"]
        elif line["op"] == "recv":
            resumed = line["via"] == "resume"
            at = heads.get((line["client"], line["room"]), line["seq"]) if resumed else line["seq"]
        else:
            continue
        if not log.admitted(line["person"], at):
            yield Violation("I6", f"{line['client']} got seq {at} of {line['room']}, not admitted")
