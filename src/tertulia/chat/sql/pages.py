"""The plain SQL of what a client reads: a room, a page of its messages, a page of its members.

The text is the same for both databases but for the words in their own modules. Cursors are
Django's, where `%s` stands for a value in both. Each page is one query, by an index.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from . import dialect


class SeenRoom(msgspec.Struct):
    """A room as one person sees it; `role` is None for whoever is not a member now."""

    id: int
    slug: str
    kind: str
    name: str
    topic: str
    archived: bool
    head: int
    messages: int
    role: str | None
    read: int
    """The seq up to which he has read; 0 for whoever is not a member."""


class PageMessage(NamedTuple):
    """A message with all that is told of it."""

    seq: int
    number: int
    version: int
    key: uuid.UUID
    text: str
    html: str
    reply_to: int | None
    sent_at: datetime
    edited_at: datetime | None
    deleted: bool
    author_name: str
    author_id: str
    """Public, as all ids here."""
    author_kind: str
    author_avatar: str | None
    mentions: list[str]
    reactions: list[tuple[str, str]]
    """(emoji, person) in the order in which they were given."""


class PageMember(NamedTuple):
    """A member and his place in the list."""

    place: int
    role: str
    read: int
    id: str
    name: str
    kind: str
    avatar: str | None


_ROOM = (
    "SELECT r.id, r.slug, r.kind, r.name, r.topic, r.archived, r.head, r.messages,"
    " m.role, COALESCE(m.read_seq, 0)"
    " FROM tertulia_chat_room r LEFT JOIN tertulia_chat_membership m"
    " ON m.room_id = r.id AND m.participant_id = %s AND m.left_seq IS NULL"
)
_MENTIONS = (
    "SELECT p.public_id FROM tertulia_chat_mention n"
    " JOIN tertulia_chat_participant p ON p.id = n.participant_id"
    " WHERE n.room_id = m.room_id AND n.seq = m.seq ORDER BY n.id"
)
_REACTIONS = (
    "SELECT c.emoji, p.public_id FROM tertulia_chat_reaction c"
    " JOIN tertulia_chat_participant p ON p.id = c.participant_id"
    " WHERE c.message_id = m.id AND c.active ORDER BY c.id"
)
_MESSAGES = (
    "SELECT m.seq, m.number, m.version, m.key, m.text, m.html, m.reply_to, m.sent_at, m.edited_at,"
    " m.deleted, m.author_name, a.public_id, a.kind, a.avatar,"
    f" (SELECT {{list}}(x.public_id) FROM ({_MENTIONS}) x),"
    f" (SELECT {{list}}({{pair}}(x.emoji, x.public_id)) FROM ({_REACTIONS}) x)"
    " FROM tertulia_chat_message m JOIN tertulia_chat_participant a ON a.id = m.author_id"
    " WHERE m.room_id = %s"
)
_MEMBERS = (
    "SELECT m.id, m.role, m.read_seq, p.public_id, p.name, p.kind, p.avatar"
    " FROM tertulia_chat_membership m JOIN tertulia_chat_participant p ON p.id = m.participant_id"
    " WHERE m.room_id = %s AND m.left_seq IS NULL AND m.id > %s ORDER BY m.id LIMIT %s"
)


def room_by_id(connection: Any, room_id: int, participant_id: int) -> SeenRoom | None:
    """The room and the person's place in it."""
    return _room(connection, "r.id", room_id, participant_id)


def room_by_slug(connection: Any, folded: str | None, participant_id: int) -> SeenRoom | None:
    """The same, by the folded form of its slug."""
    return _room(connection, "r.slug_fold", folded, participant_id)


def _room(connection: Any, column: str, value: Any, participant_id: int) -> SeenRoom | None:
    with connection.cursor() as cursor:
        cursor.execute(f"{_ROOM} WHERE {column} = %s", [participant_id, value])
        row = cursor.fetchone()
    return None if row is None else SeenRoom(*row)


def count_members(connection: Any, room_id: int) -> int:
    """How many are members now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM tertulia_chat_membership WHERE room_id = %s AND left_seq IS NULL",
            [room_id],
        )
        return int(cursor.fetchone()[0])


def messages_before(connection: Any, room_id: int, seq: int, limit: int) -> list[PageMessage]:
    """The last ones before `seq`, the newest first."""
    return _messages(
        connection, " AND m.seq < %s ORDER BY m.seq DESC LIMIT %s", [room_id, seq, limit]
    )


def messages_from(connection: Any, room_id: int, seq: int, limit: int) -> list[PageMessage]:
    """The first ones at or after `seq`, ascending."""
    return _messages(connection, " AND m.seq >= %s ORDER BY m.seq LIMIT %s", [room_id, seq, limit])


def messages_at(connection: Any, room_id: int, seqs: list[int]) -> list[PageMessage]:
    """Those with these seqs, at most as many as a resume tells."""
    if not seqs:
        return []
    marks = ",".join(["%s"] * len(seqs))
    return _messages(connection, f" AND m.seq IN ({marks})", [room_id, *seqs])


def _messages(connection: Any, which: str, values: list[Any]) -> list[PageMessage]:
    words = dialect(connection)
    sql = _MESSAGES.format(list=words.JSON_LIST, pair=words.JSON_PAIR) + which
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    return [_message(row, words.key_of, words.time_of) for row in rows]


def _message(
    row: tuple[Any, ...],
    key_of: Callable[[Any], uuid.UUID],
    time_of: Callable[[Any], datetime],
) -> PageMessage:
    told = (*row[:3], key_of(row[3]), *row[4:7], time_of(row[7]), row[8] and time_of(row[8]))
    return PageMessage._make((*told, bool(row[9]), *row[10:14], _list(row[14]), _list(row[15])))


def _list(found: str | list[Any] | None) -> list[Any]:
    """A list made by the database: JSON text, or already what it says."""
    if not found or found == "[]":
        return []
    return json.loads(found) if isinstance(found, str) else found


def has_messages(connection: Any, room_id: int, *, before: int = 0, since: int = 0) -> bool:
    """Whether the room has a message with a seq < `before`, or >= `since`."""
    place, seq = ("<", before) if before else (">=", since)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM tertulia_chat_message WHERE room_id = %s AND seq {place} %s LIMIT 1",
            [room_id, seq],
        )
        return cursor.fetchone() is not None


def members_after(connection: Any, room_id: int, place: int, limit: int) -> list[PageMember]:
    """Present members by the order of their first entry, after that place in the list."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [room_id, place, limit])
        return [PageMember(*row) for row in cursor.fetchall()]
