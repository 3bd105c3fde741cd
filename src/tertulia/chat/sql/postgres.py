"""PostgreSQL. A room's row is its lock; `NO KEY UPDATE` lets foreign keys refer to it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from . import EventRow, KeyRow, MemberRow, MentionRow, MessageRow, ReadRow, RoomRow

# A list of values as JSON, and of lists.
JSON_LIST = "json_agg"
JSON_PAIR = "json_build_array"


def key_of(key: uuid.UUID) -> uuid.UUID:
    """A key out of a row."""
    return key


def time_of(time: datetime) -> datetime:
    """A time out of a row."""
    return time


def lock_rooms(cursor: Any, ids: list[int], *, skip_locked: bool) -> list[RoomRow]:
    """Lock the rooms, in the order of their ids; with `skip_locked` only those that are free."""
    cursor.execute(
        "SELECT id, slug, kind, name, topic, archived, head, messages, state_seq"
        " FROM tertulia_chat_room WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
        + (" SKIP LOCKED" if skip_locked else ""),
        (ids,),
    )
    return [RoomRow(*row) for row in cursor.fetchall()]


def set_lock_timeout(cursor: Any, milliseconds: int) -> None:
    """How long this transaction waits for a lock."""
    cursor.execute(f"SET LOCAL lock_timeout = {int(milliseconds)}")


def find_keys(cursor: Any, pairs: list[tuple[int, uuid.UUID]]) -> list[KeyRow]:
    """Messages that were sent before, by (author, key)."""
    cursor.execute(
        "SELECT m.author_id, m.key, m.room_id, m.seq, m.sent_at"
        " FROM unnest(%s::bigint[], %s::uuid[]) AS k (author, key)"
        " JOIN tertulia_chat_message m ON m.author_id = k.author AND m.key = k.key",
        ([author for author, _ in pairs], [key for _, key in pairs]),
    )
    return [KeyRow(*row) for row in cursor.fetchall()]


def find_members(cursor: Any, pairs: list[tuple[int, int]]) -> list[MemberRow]:
    """Membership rows by (room, participant)."""
    cursor.execute(
        "SELECT m.room_id, m.participant_id, m.role, m.left_seq"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS k (room, participant)"
        " JOIN tertulia_chat_membership m"
        " ON m.room_id = k.room AND m.participant_id = k.participant",
        ([room for room, _ in pairs], [participant for _, participant in pairs]),
    )
    return [MemberRow(*row) for row in cursor.fetchall()]


def insert_events(cursor: Any, rows: list[EventRow]) -> None:
    """Append to the log."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, data, at)"
        " VALUES (%s,%s,%s,%s,%s,%s,%s)",
        rows,
    )


def insert_messages(cursor: Any, rows: list[MessageRow]) -> None:
    """New messages: version and content_seq are the seq of their creation."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_message (room_id, seq, number, version, content_seq, author_id,"
        " author_name, key, text, html, renderer, reply_to, sent_at, deleted)"
        " VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,false)",
        [
            (
                *(row.room_id, row.seq, row.number, row.seq, row.seq, row.author_id),
                *(row.author_name, row.key, row.text, row.html, row.renderer),
                *(row.reply_to, row.sent_at),
            )
            for row in rows
        ],
    )


def update_rooms(cursor: Any, rows: list[RoomRow]) -> None:
    """Write the counters of locked rooms."""
    cursor.executemany(
        "UPDATE tertulia_chat_room SET head = %s, messages = %s WHERE id = %s",
        [(row.head, row.messages, row.id) for row in rows],
    )


def mark_read(cursor: Any, rows: list[ReadRow]) -> None:
    """Sending marks read, and with it the mentions up to there."""
    cursor.executemany(
        "UPDATE tertulia_chat_membership SET read_seq = %s, read_number = %s"
        " WHERE room_id = %s AND participant_id = %s AND read_seq < %s",
        [(row.seq, row.number, row.room_id, row.participant_id, row.seq) for row in rows],
    )
    cursor.executemany(
        "UPDATE tertulia_chat_mention SET read = true"
        " WHERE participant_id = %s AND room_id = %s AND NOT read AND seq <= %s",
        [(row.participant_id, row.room_id, row.seq) for row in rows],
    )


def insert_mentions(cursor: Any, rows: list[MentionRow]) -> None:
    """Who is named where."""
    cursor.executemany(
        "INSERT INTO tertulia_chat_mention (room_id, seq, participant_id, read)"
        " VALUES (%s,%s,%s,%s)",
        rows,
    )
