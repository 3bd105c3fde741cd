"""The pages that SQLite keeps in a server's memory: they must not pass for a leak, nor hide one."""

from __future__ import annotations

import asyncio
import sqlite3
from bisect import bisect_right
from contextlib import closing, suppress
from pathlib import Path

from ..client import Client
from ..memory import MIB
from ..server import Server

# Bytes of pages that the writer's connection keeps, with what SQLite notes of each, a twentieth.
# Those of readers are too few to matter.
KEPT = 64 * MIB
NOTED = 1.05
# So much more is written to be sure that it keeps no more.
FILL = KEPT + KEPT // 8
# A message of the longest text: some 60 kB in the database, with its HTML.
LONG = "語" * 10_000
AT_ONCE = 16


class Pages:
    """The size of the database over time, and since when the writer's cache has been full."""

    def __init__(self) -> None:
        self.full_since: float | None = None
        self._sizes: list[tuple[float, int]] = []

    def measured(self, t: float, size: int | None) -> None:
        """At the time `t`; None where it could not be told."""
        if size is not None:
            self._sizes.append((t, size))

    def explained(self, since: float, until: float) -> float:
        """Bytes by which a process may have grown for it: none once the cache is full, before that
        no more than the database."""
        if not self._sizes or (self.full_since is not None and since >= self.full_since):
            return 0.0
        grown = self._at(until) - self._at(since)
        return min(max(grown, 0), KEPT) * NOTED

    def _at(self, t: float) -> int:
        before = bisect_right(self._sizes, t, key=lambda each: each[0])
        return self._sizes[max(before - 1, 0)][1]


def size(path: Path) -> int | None:
    """Bytes of the database, with those that are in the write-ahead log; None while it is held."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=0.1)) as database:
        pages, each = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
        )
        return int(pages * each)
    return None


async def fill(server: Server, token: str, much: int = FILL) -> None:
    """Make the database larger by so many bytes: long messages in a room of their own, written by
    the server, so that its cache is full."""
    path = server.database_file()
    wanted: int | None = None
    async with await Client.connect(server.ws, token=token) as client:
        room = await client.create("Long texts", "private")
        while True:
            now = await asyncio.to_thread(size, path)
            if now is not None:
                wanted = now + much if wanted is None else wanted
                if now >= wanted:
                    return
            await asyncio.gather(*(client.say(room, LONG, seconds=60) for _ in range(AT_ONCE)))
