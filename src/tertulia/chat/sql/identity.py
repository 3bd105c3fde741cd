"""The plain SQL of who somebody is: a person, his account and his rooms in one statement.

One text serves both databases. What it reads is of one moment, the number of the last change of
access among it: whatever ends the sign-in afterwards has a higher number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from . import dialect

# Rows that one statement names, at most.
CHUNK = 512

# What people are looked up by.
BY_TOKEN = "t.digest"  # noqa: S105 - a column
BY_USER = "p.user_id"
BY_PUBLIC_ID = "p.public_id"
BY_ID = "p.id"

_CHANGE = "SELECT COALESCE(MAX(id), 0) FROM tertulia_chat_accesschange"
_ROOMS = (
    "SELECT {list}(m.room_id) FROM tertulia_chat_membership m"
    " WHERE m.participant_id = p.id AND m.left_seq IS NULL"
)
_PEOPLE = (
    "SELECT {by}, p.id, p.public_id, p.name, p.kind, p.avatar, p.user_id IS NOT NULL, {active},"
    f" ({_ROOMS}), ({_CHANGE})"
    " FROM {tables} WHERE {by} IN ({marks})"
)
_PARTICIPANTS = "tertulia_chat_participant p"
_TOKENS = f"tertulia_chat_token t JOIN {_PARTICIPANTS} ON p.id = t.participant_id"


class Found(NamedTuple):
    """A person as he is now. Ids are primary keys but for `public_id`."""

    id: int
    public_id: str
    name: str
    kind: str
    avatar: str | None
    has_user: bool
    active: bool | None
    """Whether his account may sign in; None where only the host's model can tell."""
    rooms: list[int]
    """The rooms that he is a member of."""
    mark: int
    """The last change of access at this moment."""


def newest_change(connection: Any) -> int:
    """The id of the newest change of access; 0 where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE)
        return int(cursor.fetchone()[0])


def find_people(connection: Any, by: str, values: Iterable[Any]) -> dict[Any, Found]:
    """Those of these people who exist, by what they were looked up by: one of `BY_…`.

    Values are as the database keeps them. One statement for each `CHUNK` of them.
    """
    wanted = list(dict.fromkeys(values))
    found: dict[Any, Found] = {}
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        with connection.cursor() as cursor:
            filled = few_lengths(some)
            cursor.execute(_statement(connection, by, len(filled)), filled)
            for row in cursor.fetchall():
                found[row[0]] = _found(row)
    return found


def few_lengths(values: list[Any]) -> list[Any]:
    """The same values, the last of them as often as makes their number a power of two.

    Drivers keep statements prepared by their text, up to 128 of them a connection; with a text
    for each number of values those of SQLite alone would take 15 MB a thread.
    """
    size = 1 << (len(values) - 1).bit_length()
    return values + values[-1:] * (size - len(values))


def _found(row: tuple[Any, ...]) -> Found:
    has_user, active, rooms = row[6], row[7], row[8]
    # A list made by the database: JSON text, or already what it says.
    rooms = json.loads(rooms) if isinstance(rooms, str) else rooms or []
    known = None if active is None else bool(active)
    return Found._make((*row[1:6], bool(has_user), known, rooms, row[9]))


def _statement(connection: Any, by: str, count: int) -> str:
    list_, quoted = dialect(connection).JSON_LIST, connection.ops.quote_name
    tables = _TOKENS if by == BY_TOKEN else _PARTICIPANTS
    active = "NULL"
    columns = _active_columns()
    if columns is not None:
        table, key, flag = map(quoted, columns)
        active = f"u.{flag}"
        tables += f" LEFT JOIN {table} u ON u.{key} = p.user_id"
    marks = ",".join(["%s"] * count)
    return _PEOPLE.format(by=by, active=active, list=list_, tables=tables, marks=marks)


@cache
def _active_columns() -> tuple[str, str, str] | None:
    """Table, key and flag of the host's accounts; None where `is_active` is no column of theirs.

    A host's model may have a property for it, or keep it in the table of a parent model.
    """
    meta: Any = get_user_model()._meta
    try:
        field = meta.get_field("is_active")
    except FieldDoesNotExist:
        return None
    if field not in meta.local_concrete_fields:
        return None
    return meta.db_table, meta.pk.column, field.column
