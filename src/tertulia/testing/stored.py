"""Reads the final logs straight from the database, past the server; changes and locks it, too."""

from __future__ import annotations

import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from .logs import Entry, Log
from .server import Server

_EVENTS = """
    SELECT room.slug, room.kind, event.seq, event.kind, actor.public_id, message.key,
           CASE WHEN event.kind LIKE 'member.%' THEN member.public_id END
    FROM tertulia_chat_event event
    JOIN tertulia_chat_room room ON room.id = event.room_id
    JOIN tertulia_chat_participant actor ON actor.id = event.actor_id
    LEFT JOIN tertulia_chat_message message
           ON message.room_id = event.room_id AND message.seq = event.seq
    LEFT JOIN tertulia_chat_participant member ON member.id = event.subject
"""
_ORDER = " ORDER BY room.slug, event.seq"


def rows(server: Server, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of one query on the server's database; a value for each `?`."""
    address = server.env.get("DATABASE_URL", "")
    if address.startswith("postgres"):
        import psycopg  # an optional part of the package

        with psycopg.connect(address) as connection:
            return connection.execute(
                query.replace("%", "%%").replace("?", "%s"), values
            ).fetchall()
    with closing(sqlite3.connect(server.database_file(), timeout=20)) as embedded:
        return embedded.execute(query, values).fetchall()


def execute(server: Server, statement: str) -> None:
    """Change the server's database past the server, to break it."""
    if server.env.get("DATABASE_URL", "").startswith("postgres"):
        import psycopg

        with psycopg.connect(server.env["DATABASE_URL"]) as connection:
            connection.execute(statement)
        return
    with closing(sqlite3.connect(server.database_file(), timeout=20)) as embedded, embedded:
        embedded.execute(statement)


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """SQLite is held by another program meanwhile; nobody else writes."""
    file = server.database_file()
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")


def read_logs(server: Server, room: str | None = None) -> dict[str, Log]:
    """Every room's log, or one room's, by slug."""
    entries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    where = "" if room is None else " WHERE room.slug = ?"
    wanted = () if room is None else (room,)
    for slug, room_kind, seq, kind, actor, key, member in rows(
        server, _EVENTS + where + _ORDER, *wanted
    ):
        entries[slug, room_kind].append(Entry(seq, kind, actor, canonical(key), member))
    return {
        slug: Log(slug, found, private=room_kind != "public")
        for (slug, room_kind), found in entries.items()
    }


def canonical(key: Any) -> str | None:
    """A UUID as the protocol writes it, whatever column type held it."""
    return str(uuid.UUID(str(key))) if key else None
