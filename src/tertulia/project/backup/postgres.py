"""Saving from PostgreSQL and restoring into it, by COPY alone.

Saved is what one REPEATABLE READ transaction sees. A restored database is built in a schema beside
the one in use; then its tables take the place of the old ones, in one transaction of a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.db import Error, InterfaceError, InternalError, OperationalError
from django.db.backends.signals import connection_created

from . import standing
from .archive import CHUNK, BackupError
from .progress import Progress

DRAFT = "tertulia_restored"
INSTALLATION = "tertulia_chat_installation"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
# Seconds that a restore tries to have all tables for itself, and milliseconds of each try.
PATIENCE = 30.0
TRY = 2_000
# Held by the transaction that replaces: whoever has it knows how the one before has ended.
SWAP_LOCK = 0x7E47_0003
# PostgreSQL's codes of errors that have another remedy than others.
_LOCK_NOT_AVAILABLE = "55P03"
_DEPENDED_UPON = "2BP01"

# How values of a type are written (see values.py); the others are as SQLite writes them.
_WRITTEN = {
    "uuid": "replace({}::text, '-', '')",
    "timestamp with time zone": "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    "boolean": "{}::int",
    "jsonb": "{}::text",
}
_PLAIN = {"bigint", "integer", "smallint", "character varying", "character", "text", "date"}


class Snapshot:
    """One state of the database."""

    kind = "postgresql"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return _query(self._connection, text)

    def columns(self, table: str) -> list[str]:
        """The columns of a table."""
        return list(self._types(table))

    def _types(self, table: str) -> dict[str, str]:
        return dict(
            _query(
                self._connection,
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND table_name = %s"
                " ORDER BY ordinal_position",
                [table],
            )
        )

    def last_ids(self) -> dict[str, int]:
        """The last id that each table has handed out."""
        return _last_ids(self._connection)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[bytes]:
        """All rows, in chunks of whole lines."""
        types = self._types(table)
        written = ", ".join(_written(table, name, types[name]) for name in columns)
        with self._connection.connection.cursor() as cursor:
            query = f'SELECT {written} FROM "{table}"'  # noqa: S608
            yield from _gathered(cursor, f"COPY ({query}) TO STDOUT")


def _gathered(cursor: Any, copy: str) -> Iterator[bytes]:
    """psycopg hands out row by row; a thousand at a time cost much less further on."""
    chunk = bytearray()
    with cursor.copy(copy) as rows:
        for row in rows:
            chunk += row
            if len(chunk) >= CHUNK:
                yield bytes(chunk)
                chunk.clear()
    yield bytes(chunk)


def _written(table: str, name: str, kind: str) -> str:
    column = f'"{name}"'
    if kind in _WRITTEN:
        return _WRITTEN[kind].format(column)
    if kind not in _PLAIN:
        raise BackupError(f"the column {table}.{name} is a {kind}, which no backup can hold")
    return column


@contextmanager
def snapshot(connection: Any) -> Iterator[Snapshot]:
    """The database of a Django connection, as it is now."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            # A table takes as long as it takes, and so does whoever reads what we write.
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield Snapshot(connection)
        finally:
            if not connection.connection.closed:
                cursor.execute("ROLLBACK")


class Target:
    """The schema that is restored into, and the one beside it in which that is prepared."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        standing.refuse_shared_sessions(connection)
        self._live = _query(connection, "SELECT current_schema()")[0][0]
        if self._live is None or self._live == DRAFT:
            raise BackupError("the database's search_path leads to no schema to restore into")
        # Whether the draft has taken the place of the database; None: nobody knows.
        self.replaced: bool | None = False

    @contextmanager
    def building(self) -> Iterator[None]:
        """Within, Django's connection leads to the draft; it is gone afterwards."""
        old = self._old_tables(self._connection, [])
        standing.check_rights(self._connection, self._live, old)
        self._clear()
        try:
            self._run(f"CREATE SCHEMA {DRAFT}")
        except Error as error:
            raise BackupError(
                "cannot prepare the database beside the one in use"
                f" ({_first_line(error)}): GRANT CREATE ON DATABASE … TO its user"
            ) from error
        connection_created.connect(_lead_to_draft)
        self._connection.close()
        try:
            yield
        finally:
            connection_created.disconnect(_lead_to_draft)
            try:
                self._connection.close()
                self._clear()
            except Error as error:
                Progress.say(
                    f"Warning: the schema {DRAFT} is left over, and cleared away by the next"
                    f" restore ({_first_line(error)})"
                )

    def _clear(self) -> None:
        self._run("SET client_min_messages = warning")
        self._run("SET statement_timeout = 0")
        self._run(f"DROP SCHEMA IF EXISTS {DRAFT} CASCADE")

    def _run(self, text: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(text)

    def columns(self, table: str) -> list[str]:
        """The columns of a table of the draft."""
        return [
            name
            for (name,) in _query(
                self._connection,
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                [DRAFT, table],
            )
        ]

    def empty(self, tables: Iterable[str]) -> None:
        """Take all rows out of the draft."""
        self._run("TRUNCATE " + ", ".join(f'{DRAFT}."{table}"' for table in tables))
        # Put back by `check`: with all rows there, proving them takes a moment a table. Nothing
        # is on the path, so that each name in them has its schema.
        with self._connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SET LOCAL search_path = ''")
            self._references = _query(self._connection, _REFERENCES, [DRAFT])
            cursor.execute("COMMIT")
        for table, name, _ in self._references:
            self._run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def load(self, table: str, columns: Sequence[str], chunks: Iterable[bytes]) -> int:
        """Put rows into a table of the draft; how many."""
        names = ", ".join(f'"{column}"' for column in columns)
        self._connection.ensure_connection()
        with self._connection.connection.cursor() as cursor:
            cursor.execute("SET TimeZone = 'UTC'")
            with (
                self._connection.wrap_database_errors,
                cursor.copy(f'COPY {DRAFT}."{table}" ({names}) FROM STDIN') as copy,
            ):
                for chunk in chunks:
                    copy.write(chunk)
            return int(cursor.rowcount)

    def hand_out_after(self, ids: dict[str, int]) -> None:
        """In the draft: each table's next id comes after this one."""
        known = _counters(self._connection)
        for table, last in ids.items():
            if table in known:
                sequence = f'{DRAFT}."{known[table]}"'
                _query(self._connection, "SELECT setval(%s, %s)", [sequence, max(last, 1)])

    def check(self) -> None:
        """Raises BackupError where rows of the draft refer to none."""
        try:
            for table, name, definition in self._references:
                self._run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            names = [name for (name,) in _query(self._connection, _TABLES, [DRAFT])]
            self._run("ANALYZE " + ", ".join(f'{DRAFT}."{name}"' for name in names))
        except Error as error:
            raise BackupError(f"the backup is not consistent: {_first_line(error)}") from error

    def last_ids(self) -> dict[str, int]:
        """The last ids that the tables in use have handed out."""
        with self._beside() as live:
            return _last_ids(live)

    def counts(self, which: Mapping[str, str]) -> dict[str, int]:
        """How many rows of the tables in use meet their conditions; none of one that is not
        there."""
        found = dict.fromkeys(which, 0)
        with self._beside() as live:
            known = set(live.introspection.table_names())
            for table in found.keys() & known:
                query = f'SELECT COUNT(*) FROM "{table}" {which[table]}'  # noqa: S608
                ((found[table],),) = _query(live, query)
        return found

    def replace(self, epoch: str, look: Callable[[], None]) -> None:
        """The draft's tables, of this epoch, take the place of the old ones, in one transaction, or
        those stay: see `replaced`. `look` is called while that waits, and may raise."""
        deadline = time.monotonic() + PATIENCE
        while not self.replaced:
            if self.replaced is False:
                look()
            try:
                with self._beside() as live:
                    self._swap(live, epoch)
            except InternalError as error:
                if _state(error) != _DEPENDED_UPON:
                    raise
                raise BackupError(
                    "something that no backup holds depends on the tables in use"
                    f" ({_first_detail(error)}): take it away, and make it again afterwards"
                ) from error
            except (OperationalError, InterfaceError) as error:
                if self.replaced or time.monotonic() < deadline:
                    time.sleep(0.2)
                    continue
                if _state(error) == _LOCK_NOT_AVAILABLE:
                    raise BackupError(
                        "somebody else holds the database's tables without end"
                    ) from error
                raise

    def _swap(self, live: Any, epoch: str) -> None:
        with live.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                cursor.execute(f"SET LOCAL lock_timeout = {TRY}")
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWAP_LOCK])
                if self.replaced is None:  # the connection was lost at its end
                    self.replaced = self._shows(live, epoch)
                if not self.replaced:
                    self._exchange(live, cursor)
                    self.replaced = None
                cursor.execute("COMMIT")
                self.replaced = True
            except BaseException:
                with suppress(Error):
                    cursor.execute("ROLLBACK")
                raise

    def _exchange(self, live: Any, cursor: Any) -> None:
        new = [name for (name,) in _query(live, _TABLES, [DRAFT])]
        if INSTALLATION not in new:
            raise BackupError(f"somebody has taken the schema {DRAFT} away")
        old = self._old_tables(live, new)
        if old:
            names = ", ".join(f'"{self._live}"."{name}"' for name in old)
            # Whoever writes asks the first of them before any other: see `log.find`.
            cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            cursor.execute(f"DROP TABLE {names}")
        for name in new:
            cursor.execute(f'ALTER TABLE {DRAFT}."{name}" SET SCHEMA "{self._live}"')

    def _shows(self, live: Any, epoch: str) -> bool:
        """Whether the tables in use are of this epoch."""
        there = {name for (name,) in _query(live, _TABLES, [self._live])}
        query = f'SELECT epoch FROM "{self._live}".{INSTALLATION}'  # noqa: S608
        return INSTALLATION in there and (epoch,) in _query(live, query)

    def _old_tables(self, live: Any, new: Sequence[str]) -> list[str]:
        """The tables to be replaced, those that another version had too. What else is in the
        schema is somebody else's, and stays."""
        there = {name for (name,) in _query(live, _TABLES, [self._live])}
        labels: list[tuple[Any, ...]] = []
        if "django_migrations" in there:
            query = f'SELECT DISTINCT app FROM "{self._live}".django_migrations'  # noqa: S608
            labels = _query(live, query)
        begin = tuple(f"{label}_" for (label,) in labels if label.startswith("tertulia"))
        known = standing.OF_DJANGO.union(new)
        old = [name for name in there if name in known or name.startswith(begin)]
        return sorted(old, key=lambda name: (name != INSTALLATION, name))

    @contextmanager
    def _beside(self) -> Iterator[Any]:
        """A connection that leads to the tables in use."""
        live = self._connection.copy()
        try:
            with live.cursor() as cursor:
                cursor.execute(f'SET search_path TO "{self._live}"')
                cursor.execute("SET statement_timeout = 0")
            yield live
        finally:
            live.close()


def _lead_to_draft(connection: Any, **_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {DRAFT}")
        # A table takes as long as it takes.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _state(error: Error) -> str | None:
    """PostgreSQL's code of an error; None where it said nothing."""
    return getattr(error.__cause__, "sqlstate", None)


def _first_detail(error: Error) -> str:
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    detail: str = getattr(diagnosis, "message_detail", None) or str(error)
    return detail.strip().split("\n")[0]


# What refers to what: the table, the name and the text of each constraint of a schema.
_REFERENCES = (
    "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE contype = 'f' AND connamespace = %s::regnamespace"
)


def _query(connection: Any, text: str, given: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, given)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _counters(connection: Any) -> dict[str, str]:
    """What hands out the ids of each table."""
    with connection.cursor() as cursor:
        return {
            table: sequence["name"]
            for table in connection.introspection.table_names(cursor)
            for sequence in connection.introspection.get_sequences(cursor, table)
        }


def _last_ids(connection: Any) -> dict[str, int]:
    found = {}
    for table, sequence in _counters(connection).items():
        ((last,),) = _query(connection, f'SELECT last_value FROM "{sequence}"')  # noqa: S608
        found[table] = int(last)
    return found
