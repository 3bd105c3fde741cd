"""What the workers of one server tell each other: each keeps its values in a small file.

Whichever worker is asked reads the files of all. What it says of itself it writes first, so
nothing is ever told that is not on file; and a worker begins with the counters of the one
whose number it takes over. So counters never fall, however a worker ends; what it was in the
middle of (the gauges) goes with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tertulia.project import place

from .families import FAMILIES
from .values import Values, counted, take, together

logger = logging.getLogger("tertulia.project")

EVERY = 1.0  # seconds


class Board:
    """This process's values, and those of the other workers."""

    def __init__(self) -> None:
        self._place = place.mine()
        self._before = self._last_of_mine()
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def start(self) -> None:
        """Begin to keep the file; nothing to do where one process does it all."""
        if self._place.folder is not None and self._task is None:
            self._task = asyncio.ensure_future(self._keep())

    def stop(self) -> None:
        """For the last time."""
        if self._task is not None:
            self._task.cancel()
            self._write(self._take(exact=False))

    def all(self) -> dict[int, Values]:
        """The values of every worker by its number; of one that is gone only its counters."""
        own = self._take(exact=True)
        self._write(own)
        found = {self._place.number: own}
        if self._place.folder is not None:
            for path in sorted(self._place.folder.glob("*.json")):
                number = int(path.stem)
                if number != self._place.number:
                    pid, values = _read(path)
                    found[number] = values if _lives(pid) else counted(values)
        return dict(sorted(found.items()))

    def _take(self, *, exact: bool) -> Values:
        now = take(exact=exact)
        before = self._before
        for family in FAMILIES:
            if family.name in before:
                pair = (before[family.name], now.get(family.name, {}))
                now[family.name] = together(family, pair)
        return now

    def _last_of_mine(self) -> Values:
        if self._place.folder is None:
            return {}
        return counted(_read(self._file(self._place.folder))[1])

    def _file(self, folder: Path) -> Path:
        return folder / f"{self._place.number}.json"

    async def _keep(self) -> None:
        while True:
            self._write(self._take(exact=False))
            await asyncio.sleep(EVERY)

    def _write(self, values: Values) -> None:
        """All of it or nothing: a reader never sees half a file."""
        folder = self._place.folder
        if folder is None:
            return
        rows = [
            [name, list(labels), value]
            for name, some in values.items()
            for labels, value in some.items()
        ]
        path = self._file(folder)
        draft = path.with_suffix(".new")
        try:
            draft.write_text(json.dumps({"pid": os.getpid(), "values": rows}))
            draft.replace(path)
            if self._place.lock is not None:
                # So that nobody who tidies up old files takes the locks away.
                os.utime(self._place.lock)
                os.utime(folder / place.PARENT)
            self._failing = False
        except OSError as error:
            if not self._failing:
                self._failing = True
                logger.warning("The metrics of this worker cannot be told to others: %s", error)


def _read(path: Path) -> tuple[int, Values]:
    """Whose values, and which; nothing where there is no file."""
    values: Values = {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        content: dict[str, Any] = json.loads(path.read_text())
        for name, labels, value in content["values"]:
            values.setdefault(name, {})[tuple(labels)] = value
        return int(content["pid"]), values
    return 0, {}


def _lives(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_board: Board | None = None


def board() -> Board:
    """The one of this process."""
    global _board
    if _board is None:
        _board = Board()
    return _board
