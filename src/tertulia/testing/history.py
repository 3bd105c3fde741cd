"""The history recorder: what every client did and saw, one JSON object a line.

Every line has `op`, `t` (monotonic seconds), `client`, `person` (a public id) and `room`:

    invoke   key, text                 a send begins
    ok       key, seq                  it was answered
    unknown  key                       no answer: the connection broke or time ran out
    refused  key, code                 it was answered by an error
    load     began, head, low, messages  a snapshot replaced all that the client had;
                                       `messages`: [seq, key, author] from `low` up to `head`
    resumed  began, after, head        a resume's reply; its events follow as `recv`
    recv     seq, kind, key, author, via  an event was applied; via: live or resume
    read     began, head, low, messages  a page of history, shown but not applied
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

Line = dict[str, Any]


class History:
    """Keeps the lines in memory and, with a path, in a file."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[Line] = []
        self._file = path.open("a") if path else None

    def add(self, op: str, client: str, person: str, room: str, **fields: Any) -> None:
        line = {"op": op, "t": time.monotonic(), "client": client, "person": person}
        line.update(room=room, **fields)
        self.lines.append(line)
        if self._file:
            self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def acknowledged(self) -> int:
        return sum(line["op"] == "ok" for line in self.lines)


def load(path: Path) -> list[Line]:
    """The lines of a history file."""
    return [json.loads(text) for text in path.read_text().splitlines()]
