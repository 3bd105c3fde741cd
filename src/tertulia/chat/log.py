"""The append-only log: the only place where a `seq` or a `number` comes from.

A `LogTransaction` lives inside one database transaction of its connection. It locks a room's
row before it hands out the room's next `seq`, so that seqs are 1, 2, 3 … in commit order.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
from django.db import connection, transaction

from tertulia.hub.sequencer import LogEvent
from tertulia.protocol import events as ev
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import not_found

from . import kinds, sql
from .encode import now, timestamp
from .models import AccessChange, Membership, Mention, Participant, Room
from .people import Speaker
from .slugs import fold_slug


class RoomRef(NamedTuple):
    """What never changes of a room, and may be remembered by every process."""

    id: int
    slug: str
    # Whether an app has rules for rooms of its kind.
    ruled: bool = False


_REFS_LIMIT = 20_000
_refs: dict[str, RoomRef] = {}
# Ids of those that have no rules.
_plain: set[int] = set()


def room_ref(slug: str) -> RoomRef | None:
    """The room at an address, however it is written. Reads the database on first use."""
    ref = _refs.get(slug)
    if ref is None:
        rooms = Room.objects.filter(slug_fold=fold_slug(slug))
        found = rooms.values_list("pk", "slug", "kind").first()
        if found is not None:
            pk, written, kind = found
            ref = RoomRef(pk, written, kinds.rules_of(kind) is not None)
            # A room that this transaction has made is none if it is rolled back, and on SQLite its
            # id is then that of the next one.
            if connection.in_atomic_block:
                transaction.on_commit(partial(_remember, slug, ref))
            elif connection.get_autocommit():
                _remember(slug, ref)
    return ref


def _remember(slug: str, ref: RoomRef) -> None:
    if len(_refs) >= _REFS_LIMIT:
        forget_rooms()
    _refs[slug] = ref
    if not ref.ruled:
        _plain.add(ref.id)


def is_plain(room_id: int) -> bool:
    """Whether it is known that no app has rules for this room."""
    return room_id in _plain


def room_id_of(slug: str) -> int | None:
    """The id behind an address."""
    ref = room_ref(slug)
    return None if ref is None else ref.id


def known_ref(slug: str) -> RoomRef | None:
    """The same from memory alone, without touching the database."""
    return _refs.get(slug)


def forget_room(room_id: int) -> None:
    """It is not there any more: a host has deleted it, and may make another at its address."""
    _plain.discard(room_id)
    for slug in [slug for slug, ref in list(_refs.items()) if ref.id == room_id]:
        _refs.pop(slug, None)


def forget_rooms() -> None:
    """The database is another one."""
    _refs.clear()
    _plain.clear()


class Watched(msgspec.Struct, array_like=True):
    """A room's growth is news for people who are no members, too: for those who watch one of `by`,
    such as an inbox, each with its primary key and its public id.

    What they hear of is the room `slug`, up to its `head`; often, but not always, the same one.
    """

    by: list[tuple[int, str]]
    id: int
    slug: str
    head: int

    def merged(self, later: Watched) -> Watched:
        """The later state, for all who watch."""
        both = list(dict.fromkeys((*self.by, *later.by)))
        return Watched(both, self.id, self.slug, max(self.head, later.head))


class RoomNews(msgspec.Struct):
    """What a committed transaction appended to one room, encoded once for everybody."""

    room_id: int
    slug: str
    events: list[LogEvent]
    head: int
    messages: int
    mentioned: list[str]
    # Who said something, by public id, and the last seq of it: sending marks read.
    spoken: dict[str, tuple[ev.Person, int]] = {}
    watched: Watched | None = None


class AccessNews(msgspec.Struct):
    """Somebody entered or left a room, or was signed out: for his own connections."""

    id: int
    kind: str
    person_id: str | None = None
    participant_id: int | None = None
    room_id: int | None = None
    slug: str | None = None


class News(msgspec.Struct):
    """All that is to be told after a commit."""

    rooms: list[RoomNews] = []
    access: list[AccessNews] = []
    # The history that it belongs to, where the transaction has asked for it.
    epoch: str | None = None


# An appended event: its kind, itself, and whether its member may read no longer after it.
_Told = tuple[str, ev.Durable, bool]
_SAID = ev.KINDS[ev.MessageCreated]


class LogTransaction:
    """Rooms, appended events and what is to be told of them, of one database transaction.

    Needs: an open transaction on `connection`. Checks come before the first `append` of an
    action; what was appended is written by `flush`, which every action's caller calls.
    The driver's errors come out of `find` and `flush` as Django's, with the cause attached.
    `at` is the time that is written. Only what tells of the past gives one, such as the demo;
    a room's times then must not go back. `prepare`: the connection is our own and lives long, so
    the database may keep what it has found out about the statements.
    """

    def __init__(
        self, connection: Any, at: datetime | None = None, *, prepare: bool = False
    ) -> None:
        self.connection = connection
        self.dialect = sql.dialect(connection)
        self.cursor = self.dialect.cursor(connection, prepare=prepare)
        self.at = now() if at is None else at
        # The same as it stands on the wire.
        self.stamp = timestamp(self.at)
        # The history that is written to, known after a `find` with a `wait`: it stays the same
        # until this transaction ends.
        self.epoch: str | None = None
        self.rooms: dict[int, sql.RoomRow] = {}
        # Addresses behind which there was no room.
        self._absent: set[str] = set()
        self._members: dict[tuple[int, int], sql.MemberRow | None] = {}
        # Roles that rooms with rules grant to people who are no members.
        self._granted: dict[tuple[int, int], str] = {}
        # By author and key; as a number the key is hashed without calling Python.
        self._sent: dict[tuple[int, int], sql.KeyRow | None] = {}
        self._events: list[sql.EventRow] = []
        self._messages: list[sql.MessageRow] = []
        self._mentions: list[sql.MentionRow] = []
        self._reads: dict[tuple[int, int], sql.ReadRow] = {}
        self._told: dict[int, list[_Told]] = {}
        self._mentioned: dict[int, dict[str, None]] = {}
        self._access: list[AccessNews] = []
        self._watched: dict[int, Watched] = {}

    # Rooms, members and keys

    def find(
        self,
        rooms: Iterable[int] = (),
        keys: Iterable[tuple[int, uuid.UUID]] = (),
        members: Iterable[tuple[int, int]] = (),
        *,
        skip_locked: bool = False,
        wait: int | None = None,
    ) -> None:
        """Read at once what will be asked for: locked rooms, keys that were sent, members.

        With `skip_locked` only rooms that are free are locked: what was read of the others
        must not be used. `wait`: milliseconds that this transaction waits for any lock, from
        now on; on SQLite the busy timeout of the connection applies.
        """
        pairs = {pair for pair in members if pair not in self._members}
        ruled = [pair for pair in pairs if pair[0] not in _plain] if kinds.granted_sql() else []
        wanted = sql.Wanted(
            sorted({room for room in rooms if room not in self.rooms}),
            [key for key in keys if (key[0], key[1].int) not in self._sent],
            list(pairs.difference(ruled)),
        )
        if wait is None and not (any(wanted) or ruled):
            return
        with self.connection.wrap_database_errors:
            found = self.dialect.find(self.cursor, wanted, skip_locked=skip_locked, wait=wait)
        self.epoch = found.epoch or self.epoch
        self.rooms.update((row.id, row) for row in found.rooms)
        for author, key in wanted.keys:
            self._sent[author, key.int] = None
        for row in found.keys:
            self._sent[row.author_id, row.key.int] = row
        self._members.update(dict.fromkeys(wanted.members))
        self._members.update(((row.room_id, row.participant_id), row) for row in found.members)
        if ruled:
            self._find_standings(ruled)

    def _find_standings(self, pairs: list[tuple[int, int]]) -> None:
        """Members of rooms that may have rules, and whom these grant a role; behind the locks."""
        self._members.update(dict.fromkeys(pairs))
        for one in kinds.standings(self.connection, pairs):
            pair = (one.room_id, one.participant_id)
            if one.role is not None:
                self._members[pair] = sql.MemberRow(*pair, one.role, one.left_seq)
            if one.granted is not None:
                self._granted[pair] = one.granted

    def lock(self, room_ids: Iterable[int]) -> None:
        """Lock rooms, and wait for those that somebody else holds."""
        # One may have just been made, here.
        self._absent.clear()
        self.find(room_ids)

    def ref(self, slug: str) -> RoomRef | None:
        """The room at an address. Where there is none it is asked for once, so that a room that is
        hidden takes no other work than one that does not exist."""
        if slug in self._absent:
            return None
        ref = room_ref(slug)
        if ref is None:
            self._absent.add(slug)
        return ref

    def room(self, slug: str) -> sql.RoomRow:
        """The locked room at an address; `not_found` where there is none."""
        for _ in range(2):
            ref = self.ref(slug)
            if ref is None:
                break
            if ref.id not in self.rooms:
                self.lock({ref.id})
            room = self.rooms.get(ref.id)
            if room is not None and room.slug == ref.slug:
                return room
            # What was remembered is not so any more.
            forget_room(ref.id)
        raise not_found()

    def sent_before(self, author_id: int, key: uuid.UUID) -> sql.KeyRow | None:
        """The message that was sent with this key, in this transaction or before.

        Its room is locked before: the same key, sent through another process, is seen.
        """
        try:
            return self._sent[author_id, key.int]
        except KeyError:
            self.find(keys=[(author_id, key)])
            return self._sent[author_id, key.int]

    def member_row(self, room_id: int, participant_id: int) -> sql.MemberRow | None:
        """The membership row of somebody present or past."""
        try:
            return self._members[room_id, participant_id]
        except KeyError:
            self.find(members=[(room_id, participant_id)])
            return self._members[room_id, participant_id]

    def role(self, room_id: int, participant_id: int) -> str | None:
        """The role of somebody who is a member now, or whom the room's rules grant one."""
        row = self.member_row(room_id, participant_id)
        if row is not None and row.left_seq is None:
            return row.role
        return self._granted.get((room_id, participant_id)) if self._granted else None

    def forget_standings(self, room_ids: Iterable[int]) -> None:
        """What these rooms' rules grant is another thing from here on: it is asked again of all
        who are no members."""
        gone = set(room_ids)
        for pair, row in list(self._members.items()):
            if pair[0] in gone and (row is None or row.left_seq is not None):
                del self._members[pair]
                self._granted.pop(pair, None)

    # Appending

    def next_seq(self, room: sql.RoomRow) -> int:
        """The room's next seq; it must be used by the next `append`."""
        room.head += 1
        room.dirty = True
        return room.head

    def append(
        self,
        room: sql.RoomRow,
        event: ev.Durable,
        actor: Speaker,
        *,
        subject: int | None = None,
        data: dict[str, Any] | None = None,
        ends: bool = False,
    ) -> int:
        """Append `event`, whose seq came from `next_seq`, and tell of it after the commit."""
        text = None if data is None else json.dumps(data)
        self._append(room, event, actor, subject, text, ends=ends)
        return event.seq

    def append_message(
        self, room: sql.RoomRow, event: ev.MessageCreated, author: Speaker, row: sql.MessageRow
    ) -> None:
        """Append a message: its row, and the event that tells of it, both of the same seq."""
        self._messages.append(row)
        self._reads[room.id, author.id] = sql.ReadRow(room.id, author.id, row.seq, row.number)
        sent = sql.KeyRow(author.id, row.key, room.id, row.seq, self.at)
        self._sent[author.id, row.key.int] = sent
        self._append(room, event, author, row.seq, None, ends=False)

    def _append(
        self,
        room: sql.RoomRow,
        event: ev.Durable,
        actor: Speaker,
        subject: int | None,
        data: str | None,
        *,
        ends: bool,
    ) -> None:
        kind = ev.KINDS[type(event)]
        self._events.append(
            sql.EventRow(room.id, event.seq, kind, actor.id, subject, data, self.at)
        )
        told = self._told.get(room.id)
        if told is None:
            told = self._told[room.id] = []
        told.append((kind, event, ends))

    def watch(self, room: sql.RoomRow, watched: Watched) -> None:
        """Tell those who watch, too, that the room has grown."""
        before = self._watched.get(room.id)
        self._watched[room.id] = watched if before is None else before.merged(watched)

    def add_mention(self, row: sql.MentionRow, public_id: str) -> None:
        """Somebody is named in a message."""
        self._mentions.append(row)
        self._mentioned.setdefault(row.room_id, {})[public_id] = None

    def set_member(
        self,
        room: sql.RoomRow,
        participant: Participant,
        *,
        role: str,
        joined_seq: int | None = None,
        role_seq: int | None = None,
        left_seq: int | None = None,
    ) -> None:
        """Write a membership; entering marks the room read up to the entry."""
        changes: dict[str, Any] = {"role": role, "left_seq": left_seq}
        if role_seq is not None:
            changes["role_seq"] = role_seq
        if joined_seq is not None:
            changes |= {"joined_seq": joined_seq, "role_seq": joined_seq}
            changes |= {"read_seq": joined_seq, "read_number": room.messages}
        _, is_new = Membership.objects.update_or_create(
            room_id=room.id, participant_id=participant.pk, defaults=changes
        )
        if joined_seq is not None and not is_new:
            # What he was named in before he left is read with the rest.
            self.flush()
            named = Mention.objects.filter(room_id=room.id, participant_id=participant.pk)
            named.filter(read=False).update(read=True)
        self._members[room.id, participant.pk] = sql.MemberRow(
            room.id, participant.pk, role, left_seq
        )
        if joined_seq is not None or left_seq is not None:
            self.change_access(
                AccessChange.Kind.ENTERED if left_seq is None else AccessChange.Kind.LEFT,
                participant,
                room.id,
                room.slug,
            )

    def change_access(
        self, kind: str, participant: Participant | None, room_id: int | None, slug: str | None
    ) -> None:
        """Something that every process must hear of, even when the layer is away."""
        change = AccessChange.objects.create(kind=kind, participant=participant, room_id=room_id)
        self._access.append(
            AccessNews(
                id=change.pk,
                kind=str(kind),
                person_id=participant.public_id if participant else None,
                participant_id=participant.pk if participant else None,
                room_id=room_id,
                slug=slug,
            )
        )

    def flush(self) -> None:
        """Write what was appended; afterwards it can be read in this transaction."""
        self._flush(commit=False)

    def commit(self) -> None:
        """Write what was appended and, where it saves a way to the server, commit with it.

        Only for who has opened the outermost transaction, as the last thing in it: he still
        ends it as always, and it may have been ended already.
        """
        self._flush(commit=not self.connection.needs_rollback)

    def _flush(self, *, commit: bool) -> None:
        dirty = [room for room in self.rooms.values() if room.dirty]
        if not (dirty or self._events or self._mentions):
            return
        # Outside, since what goes together also fails at the end of it.
        together = self.dialect.together(self.cursor, commit=commit)
        with self.connection.wrap_database_errors, together:
            self._write(dirty)
        for room in dirty:
            room.dirty = False

    def _write(self, dirty: list[sql.RoomRow]) -> None:
        cursor, dialect = self.cursor, self.dialect
        if self._messages:
            dialect.insert_messages(cursor, self._messages)
            self._messages = []
        if self._events:
            dialect.insert_events(cursor, self._events)
            self._events = []
        if self._mentions:
            dialect.insert_mentions(cursor, self._mentions)
            self._mentions = []
        if dirty:
            dialect.update_rooms(cursor, dirty)
        if self._reads:
            dialect.mark_read(cursor, list(self._reads.values()))
            self._reads = {}

    def news(self) -> News:
        """What is to be told once the transaction has been committed; encodes the events."""
        return News(
            rooms=[self._room_news(room_id, told) for room_id, told in self._told.items()],
            access=self._access,
            epoch=self.epoch,
        )

    def _room_news(self, room_id: int, told: list[_Told]) -> RoomNews:
        room = self.rooms[room_id]
        events: list[LogEvent] = []
        spoken: dict[str, tuple[ev.Person, int]] = {}
        for kind, event, ends in told:
            if kind == _SAID:
                events.append(LogEvent(event.seq, kind, encode(event)))
                spoken[event.actor.id] = (event.actor, event.seq)
            else:
                member = getattr(event, "member", None)
                events.append(
                    LogEvent(
                        *(event.seq, kind, encode(event), member.id if member else None),
                        *(getattr(event, "role", None), ends),
                    )
                )
        return RoomNews(
            room_id=room_id,
            slug=room.slug,
            events=events,
            head=room.head,
            messages=room.messages,
            mentioned=list(self._mentioned.get(room_id, ())),
            spoken=spoken,
            watched=self._watched.get(room_id),
        )
