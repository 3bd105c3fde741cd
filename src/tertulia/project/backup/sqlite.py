"""Saving from SQLite and restoring into it.

Saved is what one reading transaction sees: in WAL mode nobody who writes waits for it. A restored
database is built in a file beside; then SQLite's own backup writes its pages into the database that
is in use, in one transaction: processes that have it open see the old one until then, and the new
one from then on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from . import values
from .archive import BackupError
from .progress import Progress

# Rows that are formatted, and inserted, at a time.
BATCH = 2_000
# What would break a line, in SQL, and what stands for it; the backslash first.
_ESCAPES = (("'\\'", r"\\"), ("char(9)", r"\t"), ("char(10)", r"\n"), ("char(13)", r"\r"))
# Seconds that a restore waits for its turn to write.
PATIENCE = 30.0
INSTALLATION = "tertulia_chat_installation"
_EPOCH = f"SELECT epoch FROM {INSTALLATION}"  # noqa: S608


class Snapshot:
    """One state of the database."""

    kind = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(text).fetchall()

    def columns(self, table: str) -> list[str]:
        """The columns of a table."""
        return _columns(self._connection, table)

    def last_ids(self) -> dict[str, int]:
        """The last id that each table has handed out."""
        return _last_ids(self._connection)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[bytes]:
        """All rows, in chunks of whole lines. SQLite itself escapes: it does it much faster."""
        text = " || char(9) || ".join(_escaped(column) for column in columns)
        cursor = self._connection.execute(f'SELECT {text} FROM "{table}"')  # noqa: S608
        while batch := cursor.fetchmany(BATCH):
            yield "".join([f"{line}\n" for (line,) in batch]).encode()


def _escaped(column: str) -> str:
    text = f'CAST("{column}" AS TEXT)'
    for sign, written in _ESCAPES:
        text = f"replace({text}, {sign}, '{written}')"
    return f"coalesce({text}, '\\N')"


@contextmanager
def snapshot(connection: Any) -> Iterator[Snapshot]:
    """The database of a Django connection, as it is now."""
    # A connection of its own: Django's makes Python's times and truths of what it reads.
    with closing(sqlite3.connect(_file(connection), timeout=20, isolation_level=None)) as own:
        own.execute("BEGIN")
        yield Snapshot(own)


def _file(connection: Any) -> Path:
    return Path(connection.settings_dict["NAME"])


class Target:
    """The database that is restored into, and the file beside it in which that is prepared."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._live = _file(connection)
        self._draft = self._live.with_name(f".{self._live.name}.restored")
        # Whether the draft has taken the place of the database; None: nobody knows.
        self.replaced: bool | None = False

    @contextmanager
    def building(self) -> Iterator[None]:
        """Within, Django's connection leads to the draft; it is gone afterwards."""
        self._live.parent.mkdir(parents=True, exist_ok=True)
        self._clear()
        self._lead_to(self._draft)
        try:
            yield
        finally:
            self._lead_to(self._live)
            with suppress(OSError):  # the next restore clears it away
                self._clear()

    def _lead_to(self, file: Path) -> None:
        self._connection.close()
        self._connection.settings_dict["NAME"] = file

    def _clear(self) -> None:
        for end in ("", "-wal", "-shm", "-journal"):
            self._draft.with_name(self._draft.name + end).unlink(missing_ok=True)

    def columns(self, table: str) -> list[str]:
        """The columns of a table of the draft."""
        with closing(sqlite3.connect(self._draft)) as draft:
            return _columns(draft, table)

    def empty(self, tables: Iterable[str]) -> None:
        """Take all rows out of the draft."""
        with self._raw() as draft:
            for table in tables:
                draft.execute(f'DELETE FROM "{table}"')  # noqa: S608

    def load(self, table: str, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
        """Put rows into a table of the draft; how many."""
        names = ", ".join(f'"{column}"' for column in columns)
        places = ", ".join("?" * len(columns))
        with self._raw() as draft:
            insert = f'INSERT INTO "{table}" ({names}) VALUES ({places})'  # noqa: S608
            return draft.executemany(insert, values.rows(chunks)).rowcount

    def hand_out_after(self, ids: dict[str, int]) -> None:
        """In the draft: each table's next id comes after this one."""
        with self._raw() as draft:
            known = {row[0] for row in draft.execute("SELECT name FROM sqlite_master")}
            for table, last in ids.items():
                if table in known:
                    draft.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
                    draft.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))

    def check(self) -> None:
        """Raises BackupError where rows of the draft refer to none."""
        with self._raw() as draft:
            broken = draft.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise BackupError(f"the backup is not consistent: {broken[0]} refers to a missing row")

    @contextmanager
    def _raw(self) -> Iterator[sqlite3.Connection]:
        """The draft, written without the care that only a database in use needs."""
        with closing(sqlite3.connect(self._draft, isolation_level=None)) as draft:
            draft.execute("PRAGMA synchronous = OFF")
            draft.execute("PRAGMA foreign_keys = OFF")
            draft.execute("PRAGMA cache_size = -65536")
            draft.execute("BEGIN IMMEDIATE")
            yield draft
            draft.execute("COMMIT")

    def last_ids(self) -> dict[str, int]:
        """The last ids that the database in use has handed out."""
        if not self._live.exists():
            return {}
        with closing(sqlite3.connect(self._live, timeout=20)) as live:
            return _last_ids(live)

    def counts(self, which: Mapping[str, str]) -> dict[str, int]:
        """How many rows of the tables in use meet their conditions; none of one that is not
        there."""
        found = dict.fromkeys(which, 0)
        if not self._live.exists():
            return found
        with closing(sqlite3.connect(self._live, timeout=20)) as live:
            known = {row[0] for row in live.execute("SELECT name FROM sqlite_master")}
            for table in found.keys() & known:
                query = f'SELECT COUNT(*) FROM "{table}" {which[table]}'  # noqa: S608
                ((found[table],),) = live.execute(query).fetchall()
        return found

    def replace(self, epoch: str, look: Callable[[], None]) -> None:
        """The draft, of this epoch, becomes the database, in one transaction, or the old one
        stays: see `replaced`. `look` is called while that waits, and may raise."""
        deadline = time.monotonic() + PATIENCE

        def patience(status: int, remaining: int, total: int) -> None:
            if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                look()
                if time.monotonic() > deadline:
                    raise BackupError(f"somebody else is writing to {self._live} without end")

        self._connection.close()
        with (
            closing(sqlite3.connect(self._draft)) as draft,
            closing(sqlite3.connect(self._live, timeout=1)) as live,
        ):
            live.execute("PRAGMA journal_mode = WAL")
            live.execute("PRAGMA synchronous = FULL")
            look()
            try:
                draft.backup(live, progress=patience, sleep=0.05)
                self.replaced = True
            except sqlite3.Error:
                self.replaced = self._shows(epoch)
                if not self.replaced:
                    raise
            try:
                live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                Progress.say(f"Warning: {self._live} is to be written back later ({error})")

    def _shows(self, epoch: str) -> bool | None:
        """Whether the database in use is of this epoch."""
        try:
            with closing(sqlite3.connect(self._live, timeout=1)) as live:
                known = {row[0] for row in live.execute("SELECT name FROM sqlite_master")}
                return INSTALLATION in known and (epoch,) in live.execute(_EPOCH).fetchall()
        except sqlite3.Error:
            return None


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _last_ids(connection: sqlite3.Connection) -> dict[str, int]:
    try:
        return dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    except sqlite3.OperationalError:
        return {}  # no table counts yet
