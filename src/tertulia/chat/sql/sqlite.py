"""SQLite. The transaction was begun with BEGIN IMMEDIATE, which is the lock on every room."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any

from . import EventRow, Found, KeyRow, MemberRow, MentionRow, MessageRow, ReadRow, RoomRow, Wanted

# A list of values as JSON, and of lists.
JSON_LIST = "json_group_array"
JSON_PAIR = "json_array"


@lru_cache(maxsize=8)
def _time(time: datetime) -> str:
    """As Django keeps it: UTC without a zone. All rows of a transaction have the same."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def key_of(key: str) -> uuid.UUID:
    """A key out of a row."""
    return uuid.UUID(key)


def time_of(time: datetime | str) -> datetime:
    """A time out of a row."""
    # Django's converters have made a naive datetime of it, where they know the column's type.
    parsed = time if isinstance(time, datetime) else datetime.fromisoformat(time)
    return parsed.replace(tzinfo=UTC)


class _Statement:
    """A statement over many rows: `{rows}` in its text stands for their VALUES.

    SQLite does all of a chunk in a single step, for which the interpreter's lock is given away
    once; `executemany` gives and takes it for every row, and waits for it each time. There
    are few chunk sizes, so that sqlite3 keeps the statements prepared: what a chunk lacks is
    filled up with NULLs, which the statement has to leave out.

    Those that write say OR FAIL: without it SQLite keeps a journal of each statement with
    several rows, to undo a part of it. Nobody needs that, since a failure undoes the whole
    transaction (or savepoint), and it costs more than the rows.
    """

    # 64 rows of up to 11 values: SQLite's oldest limit is 999 in a statement.
    _SIZES = (1, 2, 4, 8, 16, 32, 64)

    def __init__(self, text: str, columns: int) -> None:
        row = f"({','.join('?' * columns)})"
        self._texts = {size: text.format(rows=",".join([row] * size)) for size in self._SIZES}
        self._filling = [None] * columns

    def run(self, cursor: Any, rows: Sequence[Iterable[Any]]) -> list[Any]:
        """For all rows; what the statement returns of them."""
        found: list[Any] = []
        most = self._SIZES[-1]
        for start in range(0, len(rows), most):
            chunk = rows[start : start + most]
            size = next(size for size in self._SIZES if size >= len(chunk))
            values = [*chain.from_iterable(chunk), *self._filling * (size - len(chunk))]
            found += cursor.execute(self._texts[size], values).fetchall()
        return found


# Small tables are scanned and joined with the big ones: CROSS JOIN keeps SQLite to this order.
# Without it, or with `(a, b) IN (VALUES …)`, SQLite reads all messages there are.
_FIND_ROOMS = _Statement(
    "SELECT id, slug, kind, name, topic, archived, head, messages"
    " FROM tertulia_chat_room WHERE id IN (VALUES {rows})",
    columns=1,
)
_FIND_KEYS = _Statement(
    "WITH given (author, key) AS (VALUES {rows})"
    " SELECT m.author_id, m.key, m.room_id, m.seq, m.sent_at"
    " FROM given CROSS JOIN tertulia_chat_message AS m"
    " ON m.author_id = given.author AND m.key = given.key",
    columns=2,
)
_FIND_MEMBERS = _Statement(
    "WITH given (room, participant) AS (VALUES {rows})"
    " SELECT m.room_id, m.participant_id, m.role, m.left_seq"
    " FROM given CROSS JOIN tertulia_chat_membership AS m"
    " ON m.room_id = given.room AND m.participant_id = given.participant",
    columns=2,
)
_INSERT_EVENTS = _Statement(
    "INSERT OR FAIL INTO tertulia_chat_event (room_id, seq, kind, actor_id, subject, data, at)"
    " SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    columns=7,
)
_INSERT_MESSAGES = _Statement(
    "INSERT OR FAIL INTO tertulia_chat_message (room_id, seq, number, author_id, author_name, key,"
    " text, html, renderer, reply_to, sent_at, version, content_seq, deleted)"
    " SELECT *, column2, column2, 0 FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    columns=11,
)
_INSERT_MENTIONS = _Statement(
    "INSERT OR FAIL INTO tertulia_chat_mention (room_id, seq, participant_id, read)"
    " SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    columns=4,
)
_UPDATE_ROOMS = _Statement(
    "WITH given (id, head, messages) AS (VALUES {rows})"
    " UPDATE OR FAIL tertulia_chat_room AS r SET head = given.head, messages = given.messages"
    " FROM given WHERE r.id = given.id",
    columns=3,
)
_UPDATE_MEMBERS = _Statement(
    "WITH given (room, participant, seq, number) AS (VALUES {rows})"
    " UPDATE OR FAIL tertulia_chat_membership AS m"
    " SET read_seq = given.seq, read_number = given.number FROM given"
    " WHERE m.room_id = given.room AND m.participant_id = given.participant"
    " AND m.read_seq < given.seq",
    columns=4,
)
# `NOT read` is how the index of unread mentions has it: `read = 0` would read them all.
_UPDATE_MENTIONS = _Statement(
    "WITH given (room, participant, seq, number) AS (VALUES {rows})"
    " UPDATE OR FAIL tertulia_chat_mention AS m SET read = 1 FROM given"
    " WHERE m.participant_id = given.participant AND m.room_id = given.room"
    " AND NOT m.read AND m.seq <= given.seq",
    columns=4,
)


def cursor(connection: Any, *, prepare: bool = False) -> Any:
    """A cursor of the driver's own for a Django connection; it keeps statements by itself."""
    return connection.connection.cursor()


def together(cursor: Any, *, commit: bool = False) -> AbstractContextManager[Any]:
    """There is no server, and so no way to it that could be spared: the commit comes after."""
    return nullcontext()


def find(
    cursor: Any, wanted: Wanted, *, skip_locked: bool = False, wait: int | None = None
) -> Found:
    """All that is wanted; the whole database is locked already, so no room is ever skipped.

    Nor is any waited for: the busy timeout of the connection applied when it was locked.
    """
    return Found(
        _find_rooms(cursor, wanted.rooms),
        _find_keys(cursor, wanted.keys),
        [MemberRow(*row) for row in _FIND_MEMBERS.run(cursor, wanted.members)],
        _epoch(cursor) if wait is not None else None,
    )


def _epoch(cursor: Any) -> str | None:
    row = cursor.execute("SELECT epoch FROM tertulia_chat_installation").fetchone()
    return row[0] if row else None


def _find_rooms(cursor: Any, ids: list[int]) -> list[RoomRow]:
    rows = [RoomRow(*row) for row in _FIND_ROOMS.run(cursor, [(room_id,) for room_id in ids])]
    for room in rows:
        room.archived = bool(room.archived)
    return rows


def _find_keys(cursor: Any, pairs: list[tuple[int, uuid.UUID]]) -> list[KeyRow]:
    return [
        KeyRow(author, key_of(key), room, seq, time_of(sent_at))
        for author, key, room, seq, sent_at in _FIND_KEYS.run(
            cursor, [(author, key.hex) for author, key in pairs]
        )
    ]


def insert_events(cursor: Any, rows: list[EventRow]) -> None:
    """Append to the log."""
    _INSERT_EVENTS.run(
        cursor,
        [
            (row.room_id, row.seq, row.kind, row.actor_id, row.subject, row.data, _time(row.at))
            for row in rows
        ],
    )


def insert_messages(cursor: Any, rows: list[MessageRow]) -> None:
    """New messages."""
    _INSERT_MESSAGES.run(
        cursor,
        [
            (
                *(row.room_id, row.seq, row.number, row.author_id, row.author_name, row.key.hex),
                *(row.text, row.html, row.renderer, row.reply_to, _time(row.sent_at)),
            )
            for row in rows
        ],
    )


def insert_mentions(cursor: Any, rows: list[MentionRow]) -> None:
    """Who is named where."""
    _INSERT_MENTIONS.run(
        cursor, [(row.room_id, row.seq, row.participant_id, row.read) for row in rows]
    )


def update_rooms(cursor: Any, rows: list[RoomRow]) -> None:
    """Write the counters of locked rooms."""
    _UPDATE_ROOMS.run(cursor, [(row.id, row.head, row.messages) for row in rows])


def mark_read(cursor: Any, rows: list[ReadRow]) -> None:
    """Sending marks read, and with it the mentions up to there."""
    given = [(row.room_id, row.participant_id, row.seq, row.number) for row in rows]
    _UPDATE_MEMBERS.run(cursor, given)
    _UPDATE_MENTIONS.run(cursor, given)
