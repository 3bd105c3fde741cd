"""Writing a town into an empty, migrated database by the fastest means that it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .town import Town

COLUMNS = {
    "auth_user": "id password is_superuser username first_name last_name email is_staff"
    " is_active date_joined",
    "tertulia_chat_participant": "id public_id user_id kind name name_fold created_at",
    "tertulia_chat_room": "id slug slug_fold kind name topic archived head messages name_seq"
    " topic_seq archived_seq created_at",
    "tertulia_chat_membership": "room_id participant_id role role_seq joined_seq left_seq"
    " read_seq read_number favourite",
    "tertulia_chat_event": "room_id seq kind actor_id subject data at",
    "tertulia_chat_message": "id room_id seq number version content_seq author_id author_name key"
    " text html renderer reply_to sent_at edited_at deleted",
    "tertulia_chat_reaction": "message_id participant_id emoji active seq",
    "tertulia_chat_mention": "room_id seq participant_id read",
    "tertulia_chat_accesschange": "kind participant_id room_id at",
    "django_session": "session_key session_data expire_date",
}
GROWING = ("event", "message", "reaction", "mention")
# Rows that are written at a time.
_BATCH = 20_000


def fill(connection: Any, town: Town) -> None:
    """All rows of the town; what the database keeps of them beyond is made afterwards."""
    sink: Any = (
        SqliteSink(connection) if connection.vendor == "sqlite" else PostgresSink(connection)
    )
    sink.begin()
    out: dict[str, list[Any]] = {table: [] for table in GROWING}
    for place in town.places:
        town.log(place, out)
        for table, rows in out.items():
            if len(rows) >= _BATCH:
                sink.write(f"tertulia_chat_{table}", rows)
                rows.clear()
    for table, rows in out.items():
        sink.write(f"tertulia_chat_{table}", rows)
    sink.write("auth_user", town.accounts())
    sink.write("tertulia_chat_participant", town.people())
    sink.write("tertulia_chat_room", town.rooms())
    sink.write("tertulia_chat_membership", town.memberships())
    sink.write("tertulia_chat_accesschange", town.changes())
    sink.write("django_session", town.sessions())
    sink.end()


class SqliteSink:
    """No journal, no indexes but those that SQLite cannot do without until the rows are in."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        self._raw = connection.connection
        self._indexes: list[tuple[str, str]] = []

    def begin(self) -> None:
        raw = self._raw
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1500000"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("PRAGMA foreign_keys=OFF")
        named = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        grows = " OR ".join(f"tbl_name = 'tertulia_chat_{table}'" for table in GROWING)
        self._indexes = raw.execute(f"{named} AND ({grows})").fetchall()
        for name, _ in self._indexes:
            raw.execute(f'DROP INDEX "{name}"')
        raw.execute("BEGIN")

    def write(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        names = COLUMNS[table].split()
        marks = ",".join("?" * len(names))
        sql = f"INSERT INTO {table} ({','.join(names)}) VALUES ({marks})"  # noqa: S608
        self._raw.executemany(sql, rows)

    def end(self) -> None:
        raw = self._raw
        raw.execute("COMMIT")
        for _, sql in self._indexes:
            raw.execute(sql)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-2000"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("PRAGMA foreign_keys=ON")


class PostgresSink:
    """COPY without checks of references or indexes; then the indexes, and what autovacuum does
    with a table that has grown: VACUUM and ANALYZE."""

    def __init__(self, connection: Any) -> None:
        connection.ensure_connection()
        self._raw = connection.connection
        self._again: list[str] = []

    def begin(self) -> None:
        run = self._raw.execute
        run("SET session_replication_role = replica")
        run("SET maintenance_work_mem = '512MB'")
        run("SET timezone = 'UTC'")
        tables = [f"tertulia_chat_{table}" for table in GROWING]
        for table, name, made in run(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'u' AND conrelid = ANY(%s::regclass[])",
            [tables],
        ).fetchall():
            run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            self._again.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {made}')
        for name, made in run(
            "SELECT i.relname, pg_get_indexdef(x.indexrelid) FROM pg_index x"
            " JOIN pg_class i ON i.oid = x.indexrelid"
            " WHERE NOT x.indisprimary AND x.indrelid = ANY(%s::regclass[])",
            [tables],
        ).fetchall():
            run(f'DROP INDEX "{name}"')
            self._again.append(made)

    def write(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        names = ",".join(COLUMNS[table].split())
        with self._raw.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def end(self) -> None:
        run = self._raw.execute
        for sql in self._again:
            run(sql)
        for table, columns in COLUMNS.items():
            if columns.startswith("id "):
                newest = f"(SELECT MAX(id) FROM {table})"  # noqa: S608
                run(f"SELECT setval(pg_get_serial_sequence(%s, 'id'), {newest})", [table])
        run("SET session_replication_role = origin")
        run("VACUUM (ANALYZE)")
