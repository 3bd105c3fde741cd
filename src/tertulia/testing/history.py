"""The history recorder: what every client did and saw, one JSON object a line.

Every line has `op`, `t` (monotonic seconds), `client`, `person` (a public id) and `room`:

    invoke     key, text               a send begins
    ok         key, seq                it was answered
    unknown    key                     no answer: the connection broke or time ran out
    refused    key, code, final        it was answered by an error; `final`: not to be tried again
    follow                             the client means to follow the room from now on
    connected                          its connection has its `welcome`
    quit                               it follows no longer, by its own will or because it may not
    load       began, head, low, messages  a snapshot replaced all that the client had;
                                       `messages`: [seq, key, author] from `low` up to `head`
    resumed    began, after, head      a resume's reply; its events follow as `recv`
    recv       seq, kind, key, author, member, via  an event was applied; via: live or resume
    read       began, head, low, messages  the newest page of history or a snapshot, as `load` has
                                       them: shown, and not applied
    healed                             what was broken works again; times to converge begin here
    memory     pid, bytes              what a server process (`client`: its address) occupies
    waited     bytes, kernel           what was there for a client that had not read for long,
                                       and how much of it the kernel held
    end        head                    writing is over, and the log ends at `head`
"""

from __future__ import annotations

import heapq
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

Line = dict[str, Any]


class History:
    """Keeps the lines in memory; with a path in that file instead, however many they are.

    Iterating gives them in order, again each time. `add` may be called from any thread.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        # Empty where the lines go to a file.
        self.lines: list[Line] = []
        # How many of each op.
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._file: TextIO | None = path.open("a", buffering=1) if path else None

    def add(self, op: str, client: str, person: str, room: str, **fields: Any) -> None:
        """One line, with the time at which it is added."""
        line = {"op": op, "t": 0.0, "client": client, "person": person, "room": room, **fields}
        with self._lock:
            line["t"] = time.monotonic()
            self.counts[op] += 1
            if self._file:
                self._file.write(json.dumps(line) + "\n")
            else:
                self.lines.append(line)

    def __iter__(self) -> Iterator[Line]:
        if self.path is None:
            return iter(list(self.lines))
        if self._file:
            self._file.flush()
        return recorded(self.path)

    def close(self) -> None:
        """Nothing more comes; what is in the file stays."""
        if self._file:
            self._file.close()
            self._file = None

    def acknowledged(self) -> int:
        """Sends that were answered."""
        return self.counts["ok"]


def recorded(path: Path) -> Iterator[Line]:
    """The lines of a history file, one at a time."""
    with path.open() as file:
        for text in file:
            yield json.loads(text)


def merged(*histories: Iterable[Line]) -> Iterator[Line]:
    """Several recorders' lines as one history. Their clocks must be one: one machine, one boot."""
    return heapq.merge(*histories, key=lambda line: line["t"])
