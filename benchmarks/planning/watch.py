"""What a database is asked by a reading, and what it does for each statement.

Statements are taken where the driver gets them, so that plain SQL and the ORM look the same, with
their values. Work is counted in units that no other program on the machine disturbs: on SQLite
instructions of its machine, on PostgreSQL blocks of 8 KiB that were looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .plan import Plan, postgres_plan, sqlite_plan

_DATA = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)


@dataclass
class Statement:
    """One statement of a reading."""

    sql: str
    plan: Plan = field(default_factory=Plan)
    work: int = 0


def watch(connection: Any, reading: Callable[[], Any], *, writes: bool) -> list[Statement]:
    """The statements of one run, in their order, with their plans; what it writes is undone."""
    kind = SqliteWatch if connection.vendor == "sqlite" else PostgresWatch
    watched = kind(connection)
    with watched.taken():
        run(reading, writes=writes)
    watched.explain()
    return watched.statements


def run(reading: Callable[[], Any], *, writes: bool) -> None:
    """Once; what it writes is undone."""
    from django.db import transaction

    if not writes:
        reading()
        return
    with transaction.atomic():
        reading()
        transaction.set_rollback(True)


class SqliteWatch:
    """The connection's own trace, and a call for each instruction."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        self._raw = connection.connection
        self.statements: list[Statement] = []
        self._current = Statement("")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Everything that is asked meanwhile."""
        self._raw.set_trace_callback(self._began)
        self._raw.set_progress_handler(self._step, 1)
        try:
            yield
        finally:
            self._raw.set_trace_callback(None)
            self._raw.set_progress_handler(None, 1)

    def _began(self, sql: str) -> None:
        self._current = Statement(sql)
        if _DATA.match(sql):
            self.statements.append(self._current)

    def _step(self) -> int:
        self._current.work += 1
        return 0

    def explain(self) -> None:
        """Ask for the plans."""
        for statement in self.statements:
            rows = self._raw.execute(f"EXPLAIN QUERY PLAN {statement.sql}").fetchall()
            statement.plan = sqlite_plan(statement.sql, [row[3] for row in rows])


def _with_values(sent: Any, writing: Any) -> str:
    """The text of a statement with `$1`, `$2` … as it would stand with literals."""

    def literal(match: re.Match[str]) -> str:
        value = sent.values[int(match[1]) - 1]
        return str(writing.mogrify("%s", [None if value is None else value.decode()]))

    return re.sub(r"\$(\d+)", literal, sent.statement.sql.decode())


class PostgresWatch:
    """What any cursor of the connection sends; each is sent again to be explained, and undone."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        self._raw = connection.connection
        self.statements: list[Statement] = []

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Everything that is asked meanwhile, with the values in the text."""
        import psycopg

        from tertulia.chat.sql.pipeline import Pipeline

        before, writing = psycopg.Cursor.execute, psycopg.ClientCursor(self._raw)

        def execute(cursor: Any, query: Any, params: Any = None, **options: Any) -> Any:
            if cursor.connection is self._raw and cursor is not writing:
                sql = writing.mogrify(query, params)
                if _DATA.match(sql):
                    self.statements.append(Statement(sql))
            return before(cursor, query, params, **options)

        together = Pipeline.execute

        def add(pipeline: Any, statement: Any, *values: Any, **options: Any) -> int:
            place = together(pipeline, statement, *values, **options)
            if pipeline.connection is self._raw:
                sql = _with_values(pipeline.waiting[place], writing)
                if _DATA.match(sql):
                    self.statements.append(Statement(sql))
            return place

        psycopg.Cursor.execute = execute  # type: ignore[method-assign]
        Pipeline.execute = add  # type: ignore[method-assign]
        try:
            yield
        finally:
            psycopg.Cursor.execute = before  # type: ignore[method-assign]
            Pipeline.execute = together  # type: ignore[method-assign]

    def explain(self) -> None:
        """Ask for the plans, and for what carrying them out took."""
        for statement in self.statements:
            with self._raw.transaction(force_rollback=True):
                row = self._raw.execute(
                    f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement.sql}"
                ).fetchone()
            told = row[0] if not isinstance(row[0], str) else json.loads(row[0])
            top = told[0]["Plan"]
            statement.plan = postgres_plan(statement.sql, top)
            statement.work = top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0)
