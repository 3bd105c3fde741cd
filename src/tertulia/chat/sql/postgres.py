"""PostgreSQL. A room's row is its lock; `NO KEY UPDATE` lets foreign keys refer to it.

Statements that need nothing of each other go together (`pipeline.py`), so a transaction is two
round trips: what it reads, and what it writes with its commit. A few rows go each by its own short
statement, whose plan the server may keep; more are given as one parameter, of JSON or an array: a
text of one length serves any number of them, and PostgreSQL takes it apart rather than we.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec

from . import EventRow, Found, KeyRow, MemberRow, MentionRow, MessageRow, ReadRow, RoomRow, Wanted
from .pipeline import Pipeline, Statement

# A list of values as JSON, and of lists.
JSON_LIST = "json_agg"
JSON_PAIR = "json_build_array"

# Rows that go each by its own statement: about 15 µs a row of the server, where the planning of
# a statement for any number of them takes 100 to 200.
FEW = 8

_encode = msgspec.json.Encoder().encode
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Forms(NamedTuple):
    """One statement for one row, and one for any number of them."""

    one: Statement
    many: Statement


def _lock_rooms(skip: str) -> _Forms:
    lock = (
        "SELECT id, slug, kind, name, topic, archived, head, messages"
        f" FROM tertulia_chat_room WHERE id = {{}} FOR NO KEY UPDATE{skip}"
    )
    return _Forms(
        Statement(lock.format("$1")),
        Statement(lock.format("ANY($1::bigint[]) ORDER BY id")),
    )


_LOCK_ROOMS = _lock_rooms("")
_LOCK_FREE_ROOMS = _lock_rooms(" SKIP LOCKED")
_KEY = (
    "SELECT m.author_id, m.key, m.room_id, m.seq, (extract(epoch FROM m.sent_at) * 1000000)::bigint"
)
_FIND_KEYS = _Forms(
    Statement(f"{_KEY} FROM tertulia_chat_message m WHERE m.author_id = $1 AND m.key = $2"),
    Statement(
        f"{_KEY} FROM unnest($1::bigint[], $2::uuid[]) AS k (author, key)"
        " JOIN tertulia_chat_message m ON m.author_id = k.author AND m.key = k.key"
    ),
)
_MEMBER = "SELECT m.room_id, m.participant_id, m.role, m.left_seq"
_FIND_MEMBERS = _Forms(
    Statement(
        f"{_MEMBER} FROM tertulia_chat_membership m WHERE m.room_id = $1 AND m.participant_id = $2"
    ),
    Statement(
        f"{_MEMBER} FROM unnest($1::bigint[], $2::bigint[]) AS k (room, participant)"
        " JOIN tertulia_chat_membership m"
        " ON m.room_id = k.room AND m.participant_id = k.participant"
    ),
)
_EVENT = "INSERT INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, data, at)"
_INSERT_EVENTS = _Forms(
    Statement(f"{_EVENT} VALUES ($1, $2, $3, $4, $5, $6, $7)"),
    Statement(
        f"{_EVENT} SELECT room_id, seq, kind, actor_id, subject, data::jsonb, at"
        " FROM json_to_recordset($1::json) AS given (room_id bigint, seq bigint, kind text,"
        " actor_id bigint, subject bigint, data text, at timestamptz)"
    ),
)
_MESSAGE = (
    "INSERT INTO tertulia_chat_message (room_id, seq, number, version, content_seq, author_id,"
    " author_name, key, text, html, renderer, reply_to, sent_at, deleted)"
)
_INSERT_MESSAGES = _Forms(
    Statement(f"{_MESSAGE} VALUES ($1, $2, $3, $2, $2, $4, $5, $6, $7, $8, $9, $10, $11, false)"),
    Statement(
        f"{_MESSAGE} SELECT room_id, seq, number, seq, seq, author_id,"
        " author_name, key, text, html, renderer, reply_to, sent_at, false"
        " FROM json_to_recordset($1::json) AS given (room_id bigint, seq bigint, number bigint,"
        " author_id bigint, author_name text, key uuid, text text, html text, renderer smallint,"
        " reply_to bigint, sent_at timestamptz)"
    ),
)
_MENTION = "INSERT INTO tertulia_chat_mention (room_id, seq, participant_id, read)"
_INSERT_MENTIONS = _Forms(
    Statement(f"{_MENTION} VALUES ($1, $2, $3, $4)"),
    Statement(
        f"{_MENTION} SELECT room_id, seq, participant_id, read FROM json_to_recordset($1::json)"
        " AS given (room_id bigint, seq bigint, participant_id bigint, read boolean)"
    ),
)
# Arrays here, not JSON, of which PostgreSQL always expects 100 rows: it would read all rooms, and
# everybody's unread mentions, for a few.
_UPDATE_ROOMS = _Forms(
    Statement("UPDATE tertulia_chat_room SET head = $2, messages = $3 WHERE id = $1"),
    Statement(
        "UPDATE tertulia_chat_room AS r SET head = given.head, messages = given.messages"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS given (id, head, messages)"
        " WHERE r.id = given.id"
    ),
)
_UPDATE_MEMBERS = _Forms(
    Statement(
        "UPDATE tertulia_chat_membership SET read_seq = $3, read_number = $4"
        " WHERE room_id = $1 AND participant_id = $2 AND read_seq < $3"
    ),
    Statement(
        "UPDATE tertulia_chat_membership AS m"
        " SET read_seq = given.seq, read_number = given.number"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
        " AS given (room_id, participant_id, seq, number)"
        " WHERE m.room_id = given.room_id AND m.participant_id = given.participant_id"
        " AND m.read_seq < given.seq"
    ),
)
_UPDATE_MENTIONS = _Forms(
    Statement(
        "UPDATE tertulia_chat_mention SET read = true"
        " WHERE participant_id = $2 AND room_id = $1 AND NOT read AND seq <= $3"
    ),
    Statement(
        "UPDATE tertulia_chat_mention AS m SET read = true"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])"
        " AS given (room_id, participant_id, seq)"
        " WHERE m.participant_id = given.participant_id AND m.room_id = given.room_id"
        " AND NOT m.read AND m.seq <= given.seq"
    ),
)


def key_of(key: uuid.UUID) -> uuid.UUID:
    """A key out of a row."""
    return key


def time_of(time: datetime) -> datetime:
    """A time out of a row."""
    return time


def cursor(connection: Any, *, prepare: bool = False) -> Pipeline:
    """What carries statements to the server, past the cursors of a Django connection.

    `prepare`: it may keep plans for them, see `Pipeline`.
    """
    return Pipeline(connection.connection, prepare=prepare)


@contextmanager
def together(cursor: Pipeline, *, commit: bool = False) -> Iterator[None]:
    """What is executed within goes to the server together, with the commit if it is asked for.

    An error comes at the end.
    """
    try:
        yield
    except BaseException:
        cursor.forget()
        raise
    if commit:
        cursor.commit()
    cursor.run()


@cache
def _begin(milliseconds: int) -> Statement:
    """Reading the epoch keeps the tables from being replaced until this transaction ends."""
    return Statement(
        f"SELECT set_config('lock_timeout', '{milliseconds}', true),"
        " (SELECT epoch FROM tertulia_chat_installation)"
    )


def find(
    cursor: Pipeline, wanted: Wanted, *, skip_locked: bool = False, wait: int | None = None
) -> Found:
    """All that is wanted, in one round trip; the rooms first, in the order of their ids.

    Each statement sees what was committed before it began: keys are looked up under the lock.
    With `skip_locked` only those rooms are locked that are free. `wait`: milliseconds that
    this transaction waits for a lock; with it the epoch is read, too.
    """
    begin = [] if wait is None else [cursor.execute(_begin(wait))]
    lock = _LOCK_FREE_ROOMS if skip_locked else _LOCK_ROOMS
    rooms = _ask(cursor, lock, [(room,) for room in wanted.rooms])
    keys = _ask(cursor, _FIND_KEYS, wanted.keys)
    members = _ask(cursor, _FIND_MEMBERS, wanted.members)
    results = cursor.run()
    return Found(
        [_room(row) for row in _rows(results, rooms)],
        [_key(row) for row in _rows(results, keys)],
        [_member(row) for row in _rows(results, members)],
        next((row[1].decode() for row in _rows(results, begin) if row[1] is not None), None),
    )


def _ask(cursor: Pipeline, forms: _Forms, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """The places of the results for these rows, which are given as columns where they are many."""
    if len(rows) <= FEW:
        return [cursor.execute(forms.one, *row) for row in rows]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [cursor.execute(forms.many, *columns, keep=False)]


def _tell(cursor: Pipeline, forms: _Forms, rows: Sequence[Any]) -> None:
    """Rows of a structure, which are given as JSON where they are many."""
    if len(rows) <= FEW:
        for row in rows:
            cursor.execute(forms.one, *msgspec.structs.astuple(row))
    else:
        cursor.execute(forms.many, _encode(rows).decode(), keep=False)


def _rows(results: list[Any], places: list[int]) -> Iterator[list[Any]]:
    """As the server writes them: bytes, or None."""
    for place in places:
        result = results[place]
        for row in range(result.ntuples):
            yield [result.get_value(row, column) for column in range(result.nfields)]


def _room(row: list[Any]) -> RoomRow:
    return RoomRow(
        *(int(row[0]), row[1].decode(), row[2].decode(), row[3].decode(), row[4].decode()),
        *(row[5] == b"t", int(row[6]), int(row[7])),
    )


def _key(row: list[Any]) -> KeyRow:
    sent_at = _EPOCH + timedelta(microseconds=int(row[4]))
    return KeyRow(int(row[0]), uuid.UUID(row[1].decode()), int(row[2]), int(row[3]), sent_at)


def _member(row: list[Any]) -> MemberRow:
    left = None if row[3] is None else int(row[3])
    return MemberRow(int(row[0]), int(row[1]), row[2].decode(), left)


def insert_events(cursor: Pipeline, rows: list[EventRow]) -> None:
    """Append to the log."""
    _tell(cursor, _INSERT_EVENTS, rows)


def insert_messages(cursor: Pipeline, rows: list[MessageRow]) -> None:
    """New messages."""
    _tell(cursor, _INSERT_MESSAGES, rows)


def insert_mentions(cursor: Pipeline, rows: list[MentionRow]) -> None:
    """Who is named where."""
    _tell(cursor, _INSERT_MENTIONS, rows)


def update_rooms(cursor: Pipeline, rows: list[RoomRow]) -> None:
    """Write the counters of locked rooms."""
    _ask(cursor, _UPDATE_ROOMS, [(row.id, row.head, row.messages) for row in rows])


def mark_read(cursor: Pipeline, rows: list[ReadRow]) -> None:
    """Sending marks read, and with it the mentions up to there."""
    given = [(row.room_id, row.participant_id, row.seq, row.number) for row in rows]
    _ask(cursor, _UPDATE_MEMBERS, given)
    _ask(cursor, _UPDATE_MENTIONS, [row[:3] for row in given])
