"""The plain SQL of the hot statements, one file a database.

Both modules have the same functions; `dialect` gives the one for a connection. Cursors are the
driver's own. Times are aware datetimes and keys are UUIDs on this side of them.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from types import ModuleType
from typing import Any, NamedTuple

import msgspec


class RoomRow(msgspec.Struct):
    """A locked room: its counters may be moved until the transaction ends."""

    id: int
    slug: str
    kind: str
    name: str
    topic: str
    archived: bool
    head: int
    messages: int
    dirty: bool = False


class KeyRow(NamedTuple):
    """A message that was sent before with this key."""

    author_id: int
    key: uuid.UUID
    room_id: int
    seq: int
    sent_at: datetime


class MemberRow(NamedTuple):
    """A row of the membership table, of somebody present or past."""

    room_id: int
    participant_id: int
    role: str
    left_seq: int | None


class Wanted(NamedTuple):
    """What a transaction reads before it does anything.

    `rooms` by id, to be locked; `keys` are (author, key), `members` (room, participant).
    """

    rooms: list[int]
    keys: list[tuple[int, uuid.UUID]]
    members: list[tuple[int, int]]


class Found(NamedTuple):
    """The answer to `Wanted`: what there is of it, and of the rooms what could be locked.

    `epoch` is that of the history which this transaction writes to, where it was asked for.
    """

    rooms: list[RoomRow]
    keys: list[KeyRow]
    members: list[MemberRow]
    epoch: str | None = None


# The rows below are written many at a time; a batch makes some of them for each message.


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """A new line of the log; `data` is JSON text."""

    room_id: int
    seq: int
    kind: str
    actor_id: int
    subject: int | None
    data: str | None
    at: datetime


class MessageRow(msgspec.Struct, frozen=True, gc=False):
    """A new message: `version` and `content_seq` are the seq of its creation."""

    room_id: int
    seq: int
    number: int
    author_id: int
    author_name: str
    key: uuid.UUID
    text: str
    html: str
    renderer: int
    reply_to: int | None
    sent_at: datetime


class ReadRow(msgspec.Struct, frozen=True, gc=False):
    """Somebody has read up to here by sending."""

    room_id: int
    participant_id: int
    seq: int
    number: int


class MentionRow(msgspec.Struct, frozen=True, gc=False):
    """Somebody is named in a message."""

    room_id: int
    seq: int
    participant_id: int
    read: bool


def dialect(connection: Any) -> ModuleType:
    """The module for a Django connection; other databases are refused by name."""
    if connection.vendor == "sqlite":
        from . import sqlite

        return sqlite
    if connection.vendor == "postgresql":
        from . import postgres

        return postgres
    raise RuntimeError(f"Tertulia keeps its log in SQLite or PostgreSQL, not {connection.vendor}.")
