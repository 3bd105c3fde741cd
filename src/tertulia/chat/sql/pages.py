"""The plain SQL of what a client reads: rooms, a page of messages or members, a part of the log.

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

from tertulia.protocol.events import Person
from tertulia.protocol.limits import HERE

from . import dialect

# Members are counted this far: whether there are more than are told by name, with room to spare
# for those who leave while nobody else comes. A crowd is not counted for each who enters.
COUNTED = 2 * HERE
# Rooms whose heads one statement asks for.
_HEADS = 10_000


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
    epoch: str | None
    """Of the history that all this belongs to."""
    members: int = 0
    """How many are members now, of a room that was asked for by its id: at most `COUNTED`."""


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


class PageRoom(NamedTuple):
    """One of somebody's rooms, and his place in the list of them."""

    place: int
    role: str
    read: int
    read_number: int
    favourite: bool
    id: int
    slug: str
    kind: str
    name: str
    topic: str
    archived: bool
    head: int
    messages: int
    mentions: int
    """Those of him that he has not read."""


class PageEvent(NamedTuple):
    """A line of a log."""

    seq: int
    kind: str
    subject: int | None
    data: dict[str, Any]
    at: datetime
    actor: Person


_ROOM = (
    "SELECT r.id, r.slug, r.kind, r.name, r.topic, r.archived, r.head, r.messages,"
    " {role}, COALESCE(m.read_seq, 0), (SELECT epoch FROM tertulia_chat_installation){more}"
    " FROM tertulia_chat_room r LEFT JOIN tertulia_chat_membership m"
    " ON m.room_id = r.id AND m.participant_id = %s AND m.left_seq IS NULL"
)
_COUNT = (
    ", (SELECT COUNT(*) FROM (SELECT 1 FROM tertulia_chat_membership"
    f" WHERE room_id = r.id AND left_seq IS NULL LIMIT {COUNTED}) x)"
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
_PERSON = "p.public_id, p.name, p.kind, p.avatar"
# The mentions room by room: for many at once PostgreSQL reads all that he has anywhere.
_ROOMS = (
    "SELECT m.id, m.role, m.read_seq, m.read_number, m.favourite,"
    " r.id, r.slug, r.kind, r.name, r.topic, r.archived, r.head, r.messages,"
    " (SELECT COUNT(*) FROM tertulia_chat_mention n"
    " WHERE n.participant_id = m.participant_id AND n.room_id = m.room_id AND NOT n.read)"
    " FROM tertulia_chat_membership m JOIN tertulia_chat_room r ON r.id = m.room_id"
    " WHERE m.participant_id = %s AND m.left_seq IS NULL AND m.id > %s ORDER BY m.id LIMIT %s"
)
_OTHERS = (
    f"SELECT m.room_id, {_PERSON}"
    " FROM tertulia_chat_membership m JOIN tertulia_chat_participant p ON p.id = m.participant_id"
    " WHERE m.room_id IN ({marks}) AND m.participant_id <> %s ORDER BY m.id"
)
_EVENTS = (
    f"SELECT e.seq, e.kind, e.subject, e.data, e.at, {_PERSON}"
    " FROM tertulia_chat_event e JOIN tertulia_chat_participant p ON p.id = e.actor_id"
    " WHERE e.room_id = %s AND e.seq > %s ORDER BY e.seq LIMIT %s"
)
_MEMBERS = (
    f"SELECT m.id, m.role, m.read_seq, {_PERSON}"
    " FROM tertulia_chat_membership m JOIN tertulia_chat_participant p ON p.id = m.participant_id"
    " WHERE m.room_id = %s AND m.left_seq IS NULL AND m.id > %s ORDER BY m.id LIMIT %s"
)


def room_by_id(
    connection: Any, room_id: int, participant_id: int, granted: str = ""
) -> SeenRoom | None:
    """The room, the person's place in it, and its members counted.

    `granted`: SQL of the role of somebody who is no member, where there are rules for that.
    """
    return _room(connection, _COUNT, "r.id", room_id, participant_id, granted)


def room_by_slug(
    connection: Any, folded: str | None, participant_id: int, granted: str = ""
) -> SeenRoom | None:
    """The room and the person's place in it, by the folded form of its slug."""
    return _room(connection, "", "r.slug_fold", folded, participant_id, granted)


def _room(
    connection: Any, more: str, column: str, value: Any, participant_id: int, granted: str
) -> SeenRoom | None:
    role = f"COALESCE(m.role, {granted})" if granted else "m.role"
    values = [participant_id, value]
    if granted:
        values = [participant_id] * granted.count("%s") + values
    with connection.cursor() as cursor:
        cursor.execute(f"{_ROOM.format(more=more, role=role)} WHERE {column} = %s", values)
        row = cursor.fetchone()
    return None if row is None else SeenRoom(*row)


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
    # The limit tells PostgreSQL how few there are: of a large room it expects ten times as many,
    # and compiles the statement, which takes longer than all the rest.
    which = f" AND m.seq IN ({marks}) ORDER BY m.seq LIMIT %s"
    return _messages(connection, which, [room_id, *seqs, len(seqs)])


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
        # In some order: else PostgreSQL may look for one in the whole table, row by row.
        cursor.execute(
            f"SELECT 1 FROM tertulia_chat_message WHERE room_id = %s AND seq {place} %s"
            " ORDER BY seq LIMIT 1",
            [room_id, seq],
        )
        return cursor.fetchone() is not None


def members_after(connection: Any, room_id: int, place: int, limit: int) -> list[PageMember]:
    """Present members by the order of their first entry, after that place in the list."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, [room_id, place, limit])
        return [PageMember(*row) for row in cursor.fetchall()]


def rooms_of(connection: Any, participant_id: int, place: int, limit: int) -> list[PageRoom]:
    """Somebody's rooms by the order of his first entry, after that place in the list."""
    with connection.cursor() as cursor:
        cursor.execute(_ROOMS, [participant_id, place, limit])
        return [PageRoom(*row) for row in cursor.fetchall()]


def others_in(connection: Any, room_ids: list[int], participant_id: int) -> dict[int, list[Person]]:
    """The other people of these rooms, present or gone, by room; at most a page of rooms."""
    people: dict[int, list[Person]] = {}
    if room_ids:
        with connection.cursor() as cursor:
            marks = ",".join(["%s"] * len(room_ids))
            cursor.execute(_OTHERS.format(marks=marks), [*room_ids, participant_id])
            for room_id, *person in cursor.fetchall():
                people.setdefault(room_id, []).append(Person(*person))
    return people


def events_after(connection: Any, room_id: int, seq: int, limit: int) -> list[PageEvent]:
    """The first lines of the log after `seq`."""
    time_of = dialect(connection).time_of
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [room_id, seq, limit])
        return [
            PageEvent(row[0], row[1], row[2], _dict(row[3]), time_of(row[4]), Person(*row[5:]))
            for row in cursor.fetchall()
        ]


def _dict(found: str | dict[str, Any] | None) -> dict[str, Any]:
    """A JSON column, which Django has the drivers give as text."""
    if not found:
        return {}
    return json.loads(found) if isinstance(found, str) else found


def people_at(connection: Any, ids: list[int]) -> dict[int, Person]:
    """People by primary key, at most as many as a resume tells."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        marks = ",".join(["%s"] * len(ids))
        cursor.execute(
            f"SELECT p.id, {_PERSON} FROM tertulia_chat_participant p WHERE p.id IN ({marks})", ids
        )
        return {row[0]: Person(*row[1:]) for row in cursor.fetchall()}


_STATE = (
    "SELECT NULL, NULL, (SELECT epoch FROM tertulia_chat_installation ORDER BY id LIMIT 1),"
    " (SELECT MAX(id) FROM tertulia_chat_accesschange WHERE id > %s)"
)
_ROOM_HEADS = " UNION ALL SELECT id, head, NULL, NULL FROM tertulia_chat_room WHERE id IN ({ids})"


def state_of(
    connection: Any, room_ids: list[int], after: int
) -> tuple[list[tuple[int, int]], str | None, int | None]:
    """(id, head) of these rooms, however many; the epoch; the last change of access after an id.

    Of one moment for as many rooms as one statement asks for.
    """
    heads: list[tuple[int, int]] = []
    epoch: str | None = None
    newest: int | None = None
    with connection.cursor() as cursor:
        for start in range(0, max(1, len(room_ids)), _HEADS):
            # Numbers of our own: as parameters they would be too many.
            ids = ",".join(str(int(room_id)) for room_id in room_ids[start : start + _HEADS])
            cursor.execute(_STATE + (_ROOM_HEADS.format(ids=ids) if ids else ""), [after])
            for room_id, head, of, change in cursor.fetchall():
                if room_id is None:
                    epoch, newest = of, change
                else:
                    heads.append((room_id, head))
    return heads, epoch, newest
