"""Keeping what is searched: the words of each message, note and visitor, written in the transaction
that makes them so.

A row is of one conversation. `seq` is that of a message, in the log of the notes where `note` says
so; 0 stands for who the visitor is. What a database needs beyond the rows is in a module of its
own, and keeps itself in step with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from django.db import NotSupportedError, transaction

from .words import words_of

_INTO = "INSERT INTO tertulia_support_searchtext AS t (conversation_id, note, seq, words)"
_INSTEAD = (
    " ON CONFLICT (conversation_id, note, seq) DO UPDATE SET words = excluded.words"
    " WHERE t.words <> excluded.words"
)
_WRITE = (
    f"{_INTO} SELECT c.id, c.notes_id = %s, %s, %s FROM tertulia_support_conversation c"
    f" WHERE (c.room_id = %s OR c.notes_id = %s){_INSTEAD}"
)
_ERASE = (
    "DELETE FROM tertulia_support_searchtext WHERE seq = %s AND (conversation_id, note) IN"
    " (SELECT c.id, c.notes_id = %s FROM tertulia_support_conversation c"
    " WHERE c.room_id = %s OR c.notes_id = %s)"
)
# What somebody has written since it was read is newer.
_PUT = f"{_INTO} VALUES (%s, %s, %s, %s) ON CONFLICT (conversation_id, note, seq) DO NOTHING"
_VISITOR = (
    f"{_INTO} SELECT c.id, %s, 0, %s FROM tertulia_support_conversation c"
    f" WHERE c.{{column}} = %s{_INSTEAD}"
)
# Conversations that are indexed anew at a time.
_CHUNK = 200


def engine(connection: Any) -> ModuleType:
    """What is particular to the database of a Django connection."""
    if connection.vendor == "sqlite":
        from . import sqlite

        return sqlite
    from . import postgres

    return postgres


def write(connection: Any, room_id: int, seq: int, text: str) -> None:
    """A message of a conversation, or of its notes, says this now. Of other rooms: nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [room_id, seq, words_of(text), room_id, room_id])


def erase(connection: Any, room_id: int, seq: int) -> None:
    """A message is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_ERASE, [seq, room_id, room_id, room_id])


def visitor_text(name: str, email: str, external_id: str | None) -> str:
    """What a visitor is found by, as it is also shown."""
    return " · ".join(filter(None, (name, email, external_id)))


def write_visitor(connection: Any, text: str, *, client: int = 0, conversation: int = 0) -> None:
    """Who he is, in all of a visitor's conversations, or in one that is new."""
    column, key = ("client_id", client) if client else ("id", conversation)
    with connection.cursor() as cursor:
        cursor.execute(_VISITOR.format(column=column), [False, words_of(text), key])


# Indexing what is there


def fill(connection: Any) -> int:
    """Write the rows of all conversations anew, some of them at a time; how many rows."""
    last, rows = 0, 0
    while ids := _next(connection, last):
        last = ids[-1]
        with transaction.atomic(using=connection.alias):
            _lock(connection, ids)
            rows += _refill(connection, ids)
    return rows


def rebuild(connection: Any) -> int:
    """Make all of it anew, also what the database needs beyond the rows; how many rows.

    Servers may go on: what they write meanwhile waits for a room, or is indexed after it.
    """
    made = engine(connection)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in made.DROP:
            cursor.execute(statement)
        # Before what follows them: of a damaged index nothing can be taken out.
        cursor.execute("DELETE FROM tertulia_support_searchtext")
        create(connection)
    return fill(connection)


def create(connection: Any) -> None:
    """What the database needs beyond the rows, of which there are none yet."""
    made = engine(connection)
    with connection.cursor() as cursor:
        cursor.execute(made.ABLE)
        if cursor.fetchone() is None:
            raise NotSupportedError(made.UNABLE)
        for statement in made.CREATE:
            cursor.execute(statement)


def drop(connection: Any) -> None:
    """Take that away."""
    with connection.cursor() as cursor:
        for statement in engine(connection).DROP:
            cursor.execute(statement)


def _next(connection: Any, last: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM tertulia_support_conversation WHERE id > %s ORDER BY id LIMIT %s",
            [last, _CHUNK],
        )
        return [pk for (pk,) in cursor.fetchall()]


def _lock(connection: Any, ids: Sequence[int]) -> None:
    """Nobody writes in these rooms until they are indexed. On SQLite nobody writes anyway."""
    if connection.vendor == "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.id FROM tertulia_chat_room r WHERE r.id IN"
            f" (SELECT unnest(ARRAY[room_id, notes_id]) {_OF.format(marks=_marks(ids))})"
            " ORDER BY r.id FOR NO KEY UPDATE",
            ids,
        )


_OF = "FROM tertulia_support_conversation c WHERE c.id IN ({marks})"
_WHO = (
    "SELECT c.id, p.name, v.email, v.external_id FROM tertulia_support_conversation c"
    " JOIN tertulia_support_visitor v ON v.id = c.client_id"
    " JOIN tertulia_chat_participant p ON p.id = v.participant_id WHERE c.id IN ({marks})"
)
_SAID = (
    "SELECT c.id, {note}, m.seq, m.text, m.sent_at FROM tertulia_support_conversation c"
    " JOIN tertulia_chat_message m ON m.room_id = c.{room}"
    " WHERE c.id IN ({marks}) AND NOT m.deleted"
)
# The newest come last, as they would have been written.
_ALL_SAID = (
    f"{_SAID.replace('{note}', '0').replace('{room}', 'room_id')} UNION ALL"
    f" {_SAID.replace('{note}', '1').replace('{room}', 'notes_id')} ORDER BY 5, 1, 2, 3"
)


def _marks(ids: Sequence[int]) -> str:
    return ",".join(["%s"] * len(ids))


def _refill(connection: Any, ids: list[int]) -> int:
    marks = _marks(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM tertulia_support_searchtext WHERE conversation_id IN ({marks})", ids
        )
        cursor.execute(_WHO.format(marks=marks), ids)
        rows = [(pk, False, 0, words_of(visitor_text(*who))) for pk, *who in cursor.fetchall()]
        cursor.execute(_ALL_SAID.format(marks=marks), [*ids, *ids])
        for pk, note, seq, text, _ in cursor.fetchall():
            rows.append((pk, bool(note), seq, words_of(text)))
        cursor.executemany(_PUT, rows)
    return len(rows)
