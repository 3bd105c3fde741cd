"""PostgreSQL. A room's row is its lock; `NO KEY UPDATE` lets foreign keys refer to it.

Rows are given as one parameter of JSON: a text of one length serves any number of them, and
PostgreSQL takes it apart rather than we. Statements that need nothing of each other go
together by libpq's pipeline, so a transaction is three round trips: what it reads, what it
writes, and its commit.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from . import EventRow, Found, KeyRow, MemberRow, MentionRow, MessageRow, ReadRow, RoomRow, Wanted

# A list of values as JSON, and of lists.
JSON_LIST = "json_agg"
JSON_PAIR = "json_build_array"

_encode = msgspec.json.Encoder().encode

# Reading the epoch keeps the tables from being replaced until this transaction ends.
_BEGIN = (
    "SELECT set_config('lock_timeout', %s, true), (SELECT epoch FROM tertulia_chat_installation)"
)
_LOCK_ROOMS = (
    "SELECT id, slug, kind, name, topic, archived, head, messages, state_seq"
    " FROM tertulia_chat_room WHERE id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
)
_FIND_KEYS = (
    "SELECT m.author_id, m.key, m.room_id, m.seq, m.sent_at"
    " FROM unnest(%s::bigint[], %s::uuid[]) AS k (author, key)"
    " JOIN tertulia_chat_message m ON m.author_id = k.author AND m.key = k.key"
)
_FIND_MEMBERS = (
    "SELECT m.room_id, m.participant_id, m.role, m.left_seq"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS k (room, participant)"
    " JOIN tertulia_chat_membership m"
    " ON m.room_id = k.room AND m.participant_id = k.participant"
)
_INSERT_EVENTS = (
    "INSERT INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, data, at)"
    " SELECT room_id, seq, kind, actor_id, subject, data::jsonb, at"
    " FROM json_to_recordset(%s::json) AS given (room_id bigint, seq bigint, kind text,"
    " actor_id bigint, subject bigint, data text, at timestamptz)"
)
_INSERT_MESSAGES = (
    "INSERT INTO tertulia_chat_message (room_id, seq, number, version, content_seq, author_id,"
    " author_name, key, text, html, renderer, reply_to, sent_at, deleted)"
    " SELECT room_id, seq, number, seq, seq, author_id,"
    " author_name, key, text, html, renderer, reply_to, sent_at, false"
    " FROM json_to_recordset(%s::json) AS given (room_id bigint, seq bigint, number bigint,"
    " author_id bigint, author_name text, key uuid, text text, html text, renderer smallint,"
    " reply_to bigint, sent_at timestamptz)"
)
_INSERT_MENTIONS = (
    "INSERT INTO tertulia_chat_mention (room_id, seq, participant_id, read)"
    " SELECT room_id, seq, participant_id, read FROM json_to_recordset(%s::json)"
    " AS given (room_id bigint, seq bigint, participant_id bigint, read boolean)"
)
# Arrays here, not JSON, of which PostgreSQL always expects 100 rows: it would read all rooms, and
# everybody's unread mentions, for a few.
_UPDATE_ROOMS = (
    "UPDATE tertulia_chat_room AS r SET head = given.head, messages = given.messages"
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS given (id, head, messages)"
    " WHERE r.id = given.id"
)
_READS = (
    " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
    " AS given (room_id, participant_id, seq, number)"
)
_UPDATE_MEMBERS = (
    "UPDATE tertulia_chat_membership AS m"
    f" SET read_seq = given.seq, read_number = given.number{_READS}"
    " WHERE m.room_id = given.room_id AND m.participant_id = given.participant_id"
    " AND m.read_seq < given.seq"
)
_UPDATE_MENTIONS = (
    f"UPDATE tertulia_chat_mention AS m SET read = true{_READS}"
    " WHERE m.participant_id = given.participant_id AND m.room_id = given.room_id"
    " AND NOT m.read AND m.seq <= given.seq"
)


def key_of(key: uuid.UUID) -> uuid.UUID:
    """A key out of a row."""
    return key


def time_of(time: datetime) -> datetime:
    """A time out of a row."""
    return time


def cursor(connection: Any) -> Any:
    """A cursor of the driver's own for a Django connection.

    Not the one that the connection would give: that writes parameters into the text.
    """
    return psycopg.Cursor(connection.connection)


def together(cursor: Any) -> AbstractContextManager[Any]:
    """What is executed within goes to the server together; an error comes at the end."""
    if psycopg.Pipeline.is_supported():
        pipeline: AbstractContextManager[Any] = cursor.connection.pipeline()
        return pipeline
    return nullcontext()


def find(
    cursor: Any, wanted: Wanted, *, skip_locked: bool = False, wait: int | None = None
) -> Found:
    """All that is wanted, in one round trip; the rooms first, in the order of their ids.

    Each statement sees what was committed before it began: keys are looked up under the lock.
    With `skip_locked` only those rooms are locked that are free. `wait`: milliseconds that
    this transaction waits for a lock; with it the epoch is read, too.
    """
    begin, rooms, keys, members = (psycopg.Cursor(cursor.connection) for _ in range(4))
    with together(cursor):
        if wait is not None:
            begin.execute(_BEGIN, (str(int(wait)),))
        if wanted.rooms:
            rooms.execute(_LOCK_ROOMS + (" SKIP LOCKED" if skip_locked else ""), (wanted.rooms,))
        if wanted.keys:
            authors = [author for author, _ in wanted.keys]
            keys.execute(_FIND_KEYS, (authors, [key for _, key in wanted.keys]))
        if wanted.members:
            people = [participant for _, participant in wanted.members]
            members.execute(_FIND_MEMBERS, ([room for room, _ in wanted.members], people))
    return Found(
        [RoomRow(*row) for row in rooms.fetchall()] if wanted.rooms else [],
        [KeyRow(*row) for row in keys.fetchall()] if wanted.keys else [],
        [MemberRow(*row) for row in members.fetchall()] if wanted.members else [],
        begin.fetchall()[0][1] if wait is not None else None,
    )


def _columns(rows: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """The arrays for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


def insert_events(cursor: Any, rows: list[EventRow]) -> None:
    """Append to the log."""
    cursor.execute(_INSERT_EVENTS, (_encode(rows).decode(),))


def insert_messages(cursor: Any, rows: list[MessageRow]) -> None:
    """New messages."""
    cursor.execute(_INSERT_MESSAGES, (_encode(rows).decode(),))


def insert_mentions(cursor: Any, rows: list[MentionRow]) -> None:
    """Who is named where."""
    cursor.execute(_INSERT_MENTIONS, (_encode(rows).decode(),))


def update_rooms(cursor: Any, rows: list[RoomRow]) -> None:
    """Write the counters of locked rooms."""
    rooms = [(row.id, row.head, row.messages) for row in rows]
    cursor.execute(_UPDATE_ROOMS, _columns(rooms))


def mark_read(cursor: Any, rows: list[ReadRow]) -> None:
    """Sending marks read, and with it the mentions up to there."""
    given = _columns([(row.room_id, row.participant_id, row.seq, row.number) for row in rows])
    cursor.execute(_UPDATE_MEMBERS, given)
    cursor.execute(_UPDATE_MENTIONS, given)
