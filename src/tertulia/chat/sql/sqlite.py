"""SQLite. The transaction was begun with BEGIN IMMEDIATE, which is the lock on every room."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from . import EventRow, KeyRow, MemberRow, MentionRow, MessageRow, ReadRow, RoomRow

# SQLITE_MAX_VARIABLE_NUMBER is 32,766 by default, 999 in old builds.
_PAIRS = 450

# A list of values as JSON, and of lists.
JSON_LIST = "json_group_array"
JSON_PAIR = "json_array"


def _time(time: datetime) -> str:
    """As Django keeps it: UTC without a zone."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def key_of(key: str) -> uuid.UUID:
    """A key out of a row."""
    return uuid.UUID(key)


def time_of(time: datetime | str) -> datetime:
    """A time out of a row."""
    # Django's converters have made a naive datetime of it, where they know the column's type.
    parsed = time if isinstance(time, datetime) else datetime.fromisoformat(time)
    return parsed.replace(tzinfo=UTC)


def _pairs(pairs: list[tuple[Any, Any]]) -> Iterable[tuple[str, list[Any]]]:
    for start in range(0, len(pairs), _PAIRS):
        some = pairs[start : start + _PAIRS]
        yield ",".join(["(?,?)"] * len(some)), [value for pair in some for value in pair]


def lock_rooms(cursor: Any, ids: list[int], *, skip_locked: bool) -> list[RoomRow]:
    """The rooms; the whole database is locked already, so none is ever skipped."""
    rows: list[RoomRow] = []
    for start in range(0, len(ids), 900):
        some = ids[start : start + 900]
        cursor.execute(
            "SELECT id, slug, kind, name, topic, archived, head, messages, state_seq"
            f" FROM tertulia_chat_room WHERE id IN ({','.join('?' * len(some))})",
            some,
        )
        rows += [RoomRow(*row) for row in cursor.fetchall()]
        for room in rows:
            room.archived = bool(room.archived)
    return rows


def set_lock_timeout(cursor: Any, milliseconds: int) -> None:
    """The busy timeout of the connection applies."""


def find_keys(cursor: Any, pairs: list[tuple[int, uuid.UUID]]) -> list[KeyRow]:
    """Messages that were sent before, by (author, key)."""
    rows: list[KeyRow] = []
    for marks, values in _pairs([(author, key.hex) for author, key in pairs]):
        cursor.execute(
            "SELECT author_id, key, room_id, seq, sent_at FROM tertulia_chat_message"
            f" WHERE (author_id, key) IN (VALUES {marks})",
            values,
        )
        rows += [
            KeyRow(author, key_of(key), room, seq, time_of(sent_at))
            for author, key, room, seq, sent_at in cursor.fetchall()
        ]
    return rows


def find_members(cursor: Any, pairs: list[tuple[int, int]]) -> list[MemberRow]:
    """Membership rows by (room, participant)."""
    rows: list[MemberRow] = []
    for marks, values in _pairs(pairs):
        cursor.execute(
            "SELECT room_id, participant_id, role, left_seq FROM tertulia_chat_membership"
            f" WHERE (room_id, participant_id) IN (VALUES {marks})",
            values,
        )
        rows += [MemberRow(*row) for row in cursor.fetchall()]
    return rows


def insert_events(cursor: Any, rows: list[EventRow]) -> None:
    """Append to the log."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, data, at)"
        " VALUES (?,?,?,?,?,?,?)",
        [(*row[:6], _time(row.at)) for row in rows],
    )


def insert_messages(cursor: Any, rows: list[MessageRow]) -> None:
    """New messages: version and content_seq are the seq of their creation."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_message (room_id, seq, number, version, content_seq, author_id,"
        " author_name, key, text, html, renderer, reply_to, sent_at, deleted)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,0)",
        [
            (
                *(row.room_id, row.seq, row.number, row.seq, row.seq, row.author_id),
                *(row.author_name, row.key.hex, row.text, row.html, row.renderer),
                *(row.reply_to, _time(row.sent_at)),
            )
            for row in rows
        ],
    )


def update_rooms(cursor: Any, rows: list[RoomRow]) -> None:
    """Write the counters of locked rooms."""
    cursor.executemany(
        "UPDATE tertulia_chat_room SET head = ?, messages = ? WHERE id = ?",
        [(row.head, row.messages, row.id) for row in rows],
    )


def mark_read(cursor: Any, rows: list[ReadRow]) -> None:
    """Sending marks read, and with it the mentions up to there."""
    cursor.executemany(
        "UPDATE tertulia_chat_membership SET read_seq = ?, read_number = ?"
        " WHERE room_id = ? AND participant_id = ? AND read_seq < ?",
        [(row.seq, row.number, row.room_id, row.participant_id, row.seq) for row in rows],
    )
    cursor.executemany(
        "UPDATE tertulia_chat_mention SET read = 1"
        " WHERE participant_id = ? AND room_id = ? AND read = 0 AND seq <= ?",
        [(row.participant_id, row.room_id, row.seq) for row in rows],
    )


def insert_mentions(cursor: Any, rows: list[MentionRow]) -> None:
    """Who is named where."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_mention (room_id, seq, participant_id, read) VALUES (?,?,?,?)",
        rows,
    )
