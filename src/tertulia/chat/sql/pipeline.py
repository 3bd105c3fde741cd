"""Statements that go to PostgreSQL in one packet, with their answers in one more.

libpq by psycopg's wrapper of it. A cursor costs about 60 µs a statement, and psycopg's own pipeline
sends each by itself and looks for answers in between, which wakes the server for each of them.
"""

from __future__ import annotations

import hashlib
import logging
import select
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

logger = logging.getLogger(__name__)

# A statement that was prepared is not there, is there already, or has lost its meaning: a pooler
# that hands connections on between transactions, DISCARD ALL, a changed table.
_UNPREPARED = ("26000", "42P05", "0A000")

Value = int | str | bool | uuid.UUID | datetime | Sequence[int] | Sequence[uuid.UUID] | None


def _text(value: str) -> bytes:
    if "\0" in value:
        raise psycopg.DataError("PostgreSQL keeps no NUL in text")
    return value.encode()


def _array(values: Sequence[Any]) -> bytes:
    return b"{%b}" % b",".join(_AS_TEXT[type(value)](value) for value in values)


# What the server is given, as text.
_AS_TEXT: dict[type, Callable[[Any], bytes]] = {
    int: lambda value: b"%d" % value,
    str: _text,
    bool: lambda value: b"t" if value else b"f",
    uuid.UUID: lambda value: value.hex.encode(),
    datetime: lambda value: value.isoformat().encode(),
    list: _array,
    type(None): lambda value: None,  # type: ignore[dict-item, return-value]
}


def _given(value: Value) -> bytes | None:
    try:
        return _AS_TEXT[type(value)](value)
    except KeyError:
        # A class of somebody else's, made from one of these.
        kind = next(kind for kind in type(value).__mro__ if kind in _AS_TEXT)
        return _AS_TEXT[kind](value)


class Statement:
    """SQL with `$1`, `$2` … for values, each of which may stand there several times.

    Its name is a digest of it: one name never stands for two texts, whoever shares a session.
    """

    __slots__ = ("name", "sql")

    def __init__(self, sql: str) -> None:
        self.sql = sql.encode()
        self.name = b"tertulia_" + hashlib.sha256(self.sql).hexdigest()[:20].encode()


_BEGIN = Statement("BEGIN")
_COMMIT = Statement("COMMIT")
# A plan that is kept while its table grows must not read it as a whole. Where something else can
# only be read so, it then looks so dear that it would be compiled first.
_BY_INDEX = Statement(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"
)

# The names that each connection of the driver's has prepared.
_prepared: WeakKeyDictionary[Any, set[bytes]] = WeakKeyDictionary()


class Sent(NamedTuple):
    """A statement with its values as text; `kept` if the server keeps its plan."""

    statement: Statement
    values: list[bytes | None]
    kept: bool


class Pipeline:
    """What is executed waits for `run`, on one connection of psycopg's.

    With `prepare` the server keeps the plans of statements from one transaction to the next, and
    the first `run` of a transaction sets it up for that.
    """

    # Whether this process still has anything prepared.
    preparing = True

    def __init__(self, connection: Any, *, prepare: bool = False) -> None:
        self.connection = connection
        self._prepare = prepare
        # What the next `run` sends.
        self.waiting: list[Sent] = []

    def execute(self, statement: Statement, *values: Value, keep: bool = True) -> int:
        """Have it go with the next `run`; its place among the results.

        `keep`: its plan serves any values.
        """
        kept = keep and self._prepare and Pipeline.preparing
        self.waiting.append(Sent(statement, [_given(value) for value in values], kept))
        return len(self.waiting) - 1

    def commit(self) -> None:
        """End the transaction with the next `run`, if all before it succeeds."""
        self.execute(_COMMIT)

    def forget(self) -> None:
        """Send nothing of what waits."""
        self.waiting = []

    def run(self) -> list[Any]:
        """Send what waits, in a transaction; the results, in order.

        Raises psycopg's error of the first statement that fails: none behind it is carried out.
        """
        waiting, self.waiting = self.waiting, []
        first = self._first() if waiting else []
        results = self._answers([*first, *waiting])[len(first) :]
        for sent, result in zip(waiting, results, strict=True):
            if sent.statement is _COMMIT and result.command_status != b"COMMIT":
                raise psycopg.errors.InFailedSqlTransaction("the transaction was rolled back")
        return results

    def _first(self) -> list[Sent]:
        """What begins a transaction, as the driver would."""
        connection = self.connection
        idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
        if not idle or connection.autocommit:
            return []
        if connection.isolation_level is not None:
            level = connection.isolation_level.name.replace("_", " ")
            return [Sent(Statement(f"BEGIN ISOLATION LEVEL {level}"), [], False)]
        if self._prepare and Pipeline.preparing:
            return [Sent(_BEGIN, [], True), Sent(_BY_INDEX, [], True)]
        return [Sent(_BEGIN, [], False)]

    def _answers(self, sent: list[Sent]) -> list[Any]:
        if not sent:
            return []
        link: Any = self.connection.pgconn
        known = _prepared.setdefault(self.connection, set())
        try:
            link.enter_pipeline_mode()
            # Names by the place of the result that tells whether preparing has succeeded.
            new = _send(link, sent, known)
            results = _received(link)
            if link.status == pq.ConnStatus.OK:
                link.exit_pipeline_mode()
        except BaseException:
            # Nobody knows what is still on its way.
            self.connection.close()
            raise
        # Also where another statement fails: preparing is not rolled back with the transaction,
        # and a pool hands the same session out again.
        known.update(
            name
            for place, name in new.items()
            if place < len(results) and results[place].status == pq.ExecStatus.COMMAND_OK
        )
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise _error(result)
        return [result for place, result in enumerate(results) if place not in new]


def _send(link: Any, sent: list[Sent], known: set[bytes]) -> dict[int, bytes]:
    new: dict[int, bytes] = {}
    place = 0
    for statement, values, kept in sent:
        if not kept:
            link.send_query_params(statement.sql, values)
        else:
            if statement.name not in known and statement.name not in new.values():
                link.send_prepare(statement.name, statement.sql)
                new[place] = statement.name
                place += 1
            link.send_query_prepared(statement.name, values)
        place += 1
    link.pipeline_sync()
    return new


def _received(link: Any) -> list[Any]:
    """The answers up to the end of the pipeline; other threads run while this one waits.

    An error of the server's that ended the connection is one of them.
    """
    poll = select.poll()
    poll.register(link.socket, select.POLLIN | select.POLLOUT)
    results: list[Any] = []
    try:
        while link.flush():
            # It may have to be read from before it takes more.
            if any(event & ~select.POLLOUT for _, event in poll.poll()):
                link.consume_input()
        poll.modify(link.socket, select.POLLIN)
        while not results or results[-1].status != pq.ExecStatus.PIPELINE_SYNC:
            while link.is_busy():
                poll.poll()
                link.consume_input()
            result = link.get_result()
            if result is not None:
                results.append(result)
            elif link.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection is lost")
    except psycopg.OperationalError:
        if not any(result.status == pq.ExecStatus.FATAL_ERROR for result in results):
            raise
        return results
    return results[:-1]


def _error(result: Any) -> psycopg.Error:
    error = error_from_result(result)
    if error.sqlstate in _UNPREPARED and Pipeline.preparing:
        Pipeline.preparing = False
        logger.warning("Statements are not prepared any more: %s", str(error).strip())
    return error
