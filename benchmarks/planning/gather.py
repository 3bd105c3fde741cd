"""Filling databases, and measuring each reading in all of them by turns."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .bases import using
from .filling import fill
from .readings import Reading, prepare, readings
from .town import Sizes, Town
from .watch import Statement, run, watch

# Turns that a reading gets in each database: as many as fit into so many seconds.
TURNS, SECONDS, LEAST = 200, 1.0, 7


@dataclass
class Taken:
    """A reading in one database."""

    statements: list[Statement] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """Seconds, one a turn."""

    @property
    def work(self) -> int:
        """Of all its statements together."""
        return sum(statement.work for statement in self.statements)

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.times)

    def faults(self) -> list[str]:
        """Of all its statements, each once."""
        found = [fault for statement in self.statements for fault in statement.plan.faults()]
        return list(dict.fromkeys(found))


@dataclass
class Measured:
    """A reading in every database, by alias."""

    name: str
    page: bool
    writes: bool
    taken: dict[str, Taken]


def furnish(alias: str, sizes: Sizes, say: Callable[[str], None]) -> list[Reading]:
    """Migrate and fill a database; the readings in it."""
    from django.core.management import call_command

    began = time.monotonic()
    with using(alias) as connection:
        call_command("migrate", interactive=False, verbosity=0, database=alias)
        fill(connection, Town(sizes))
        # What was set for filling ends with the connection.
        connection.close()
        found = readings(prepare(sizes))
    say(f"{alias}: {sizes.messages:,} messages in {time.monotonic() - began:.0f} s")
    return found


def take(made: dict[str, list[Reading]], *, timed: bool) -> list[Measured]:
    """Every reading with its plans, and timed by turns so that a busy moment hits all alike."""
    aliases = list(made)
    found = []
    for same in zip(*made.values(), strict=True):
        first = same[0]
        measured = Measured(first.name, first.page, first.writes, {a: Taken() for a in aliases})
        for alias, reading in zip(aliases, same, strict=True):
            with using(alias) as connection:
                run(reading.call, writes=reading.writes)  # what is remembered for ever
                measured.taken[alias].statements = watch(
                    connection, reading.call, writes=reading.writes
                )
        if timed:
            _time(measured, dict(zip(aliases, same, strict=True)))
        found.append(measured)
    return found


def _time(measured: Measured, by_alias: dict[str, Reading]) -> None:
    gc.disable()
    try:
        end = time.perf_counter() + SECONDS * len(by_alias)
        for turn in range(TURNS):
            if turn >= LEAST and time.perf_counter() > end:
                break
            for alias, reading in by_alias.items():
                with using(alias):
                    _known(reading)
                    began = time.perf_counter()
                    run(reading.call, writes=reading.writes)
                    measured.taken[alias].times.append(time.perf_counter() - began)
    finally:
        gc.enable()


def _known(reading: Reading) -> None:
    """A serving process knows where its rooms are: `using` has made this one forget."""
    from tertulia.chat.log import room_id_of

    from .town import PLAZA, slug

    if reading.writes:
        room_id_of(slug(PLAZA))


def versions(connection: Any) -> str:
    """The database's own name and version."""
    connection.ensure_connection()
    name, sql = "PostgreSQL", "SHOW server_version"
    if connection.vendor == "sqlite":
        name, sql = "SQLite", "SELECT sqlite_version()"
    return f"{name} {connection.connection.execute(sql).fetchone()[0]}"
