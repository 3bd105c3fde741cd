"""The database: it answers, keeps what it has confirmed, and fits this version."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tertulia.project import database as configuration
from tertulia.project.environment import Environment

from .read_only import SECONDS, configured
from .report import Report

OLDEST_POSTGRES = 14
CLOCK = 5.0  # seconds


def database(env: Environment, report: Report) -> None:
    """By its kind. One that does not answer ends the checks of what is in it."""
    from django.db import Error, connection

    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        report.fault(
            f"the database {configuration.describe(env)} does not answer: {_line(error)}",
            "start it, or mend DATABASE_URL; until then every message is refused",
        )
        return
    if connection.vendor == "sqlite":
        _sqlite(connection, report)
    else:
        _postgresql(env, connection, report)


def answers() -> bool:
    """Whether the database can be asked; for the checks after this one."""
    from django.db import Error, connection

    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _sqlite(connection: Any, report: Report) -> None:
    from django.db import DatabaseError

    path = Path(configured["NAME"])
    try:
        with connection.cursor() as cursor:
            mode = _one(cursor, "PRAGMA journal_mode")
            sound = _quick_check(connection, cursor)
    except DatabaseError as error:
        report.fault(f"the database {path} is damaged: {_line(error)}", _RESTORE)
        return
    if sound is None:
        report.warn(
            f"the database {path} is large: checking it took longer than {SECONDS} s",
            f"check it at a quiet time: sqlite3 {path} 'PRAGMA quick_check'",
        )
    elif sound != "ok":
        report.fault(f"the database {path} is damaged: {sound}", _RESTORE)
    else:
        report.ok(f"SQLite {_version()} finds the database {path} sound")
    if mode.lower() != "wal":
        report.warn(
            f"the database's journal is {mode}, not WAL: who reads waits for who writes",
            "it becomes WAL with the next start of the server",
        )
    if "synchronous=full" not in str(configured["OPTIONS"].get("init_command", "")).lower():
        report.fault(
            "SQLite is not set to synchronous=FULL: a power cut loses confirmed messages",
            "use the site's own DATABASES setting",
        )
    else:
        report.ok("every commit is on the disk before it is confirmed (synchronous=FULL)")


_RESTORE = "stop the server, keep a copy of the file, and restore the last backup"


def _version() -> str:
    import sqlite3

    return sqlite3.sqlite_version


def _quick_check(connection: Any, cursor: Any) -> str | None:
    """SQLite's finding, or None when it took too long."""
    from django.db import OperationalError

    deadline = time.monotonic() + SECONDS
    connection.connection.set_progress_handler(lambda: int(time.monotonic() > deadline), 100_000)
    try:
        return str(_one(cursor, "PRAGMA quick_check(1)"))
    except OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return None
    finally:
        connection.connection.set_progress_handler(None, 0)


def _one(cursor: Any, query: str) -> Any:
    cursor.execute(query)
    row = cursor.fetchone()
    return row[0] if row else None


def _postgresql(env: Environment, connection: Any, report: Report) -> None:
    major = connection.pg_version // 10000
    if major < OLDEST_POSTGRES:
        report.warn(f"PostgreSQL {major} is too old", f"use version {OLDEST_POSTGRES} or later")
    else:
        report.ok(f"PostgreSQL {major} answers at {configuration.describe(env)}")
    with connection.cursor() as cursor:
        _durability(cursor, report)
        if _one(cursor, "SELECT pg_is_in_recovery()"):
            report.fault(
                "the database is a standby and cannot be written to",
                "let DATABASE_URL name the primary",
            )
        if _one(cursor, "SHOW server_encoding") != "UTF8":
            report.warn(
                "the database's encoding is not UTF8: some names and messages cannot be kept",
                "make a new one: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
            )
        _connections(env, cursor, report)


def _durability(cursor: Any, report: Report) -> None:
    losing = {
        "synchronous_commit": "a crash of the database loses messages that were confirmed",
        "fsync": "a power cut can destroy the whole database",
        "full_page_writes": "a power cut can destroy pages of the database",
    }
    bad = [name for name in losing if _one(cursor, f"SHOW {name}") == "off"]
    for name in bad:
        report.fault(
            f"PostgreSQL runs with {name}=off: {losing[name]}",
            f"ALTER SYSTEM RESET {name}; SELECT pg_reload_conf() (and see ALTER ROLE, ALTER"
            " DATABASE and the command line)",
        )
    if not bad:
        report.ok("every commit is on the disk before it is confirmed")


def _connections(env: Environment, cursor: Any, report: Report) -> None:
    most = int(_one(cursor, "SHOW max_connections"))
    kept = int(_one(cursor, "SHOW superuser_reserved_connections"))
    pool = configured["OPTIONS"].get("pool")
    each = pool.get("max_size", 4) if isinstance(pool, dict) else configuration.NEEDED
    need = env.workers * each + 1
    workers = f"{env.workers} worker{'s' * (env.workers > 1)}"
    text = f"{workers} may open {need} connections, and PostgreSQL admits {most - kept}"
    if need > most - kept:
        report.warn(text, f"raise max_connections to {need + kept + 10}, or have fewer workers")
    else:
        report.ok(text)


def migrations(env: Environment, report: Report) -> None:
    """All applied, and none that this version does not know."""
    if not answers():
        return
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    loader = executor.loader
    unknown = [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if (app, name) not in loader.disk_migrations
        and app in {config.label for config in apps.get_app_configs()}
        and (app, name) not in _replaced(loader)
    ]
    waiting = executor.migration_plan(loader.graph.leaf_nodes())
    if unknown:
        names = ", ".join(sorted(unknown))
        report.fault(
            f"the database is that of a newer version, which has migrated it: {names}",
            "install that version; this one does not know what is in there",
        )
    if waiting:
        report.warn(
            f"{len(waiting)} migrations are not applied to the database",
            "`tertulia migrate`, or the next start of the server, applies them",
        )
    if not unknown and not waiting:
        report.ok("the database is that of this version")


def _replaced(loader: Any) -> set[tuple[str, str]]:
    return {old for migration in loader.replacements.values() for old in migration.replaces}


def clock(env: Environment, report: Report) -> None:
    """The machine's and the database's: messages bear this machine's time."""
    if not answers():
        return
    from django.db import connection
    from django.utils import timezone

    from tertulia.chat.models import Message

    mend = "let NTP set the clocks (timedatectl set-ntp true)"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            before = time.time()
            theirs = float(_one(cursor, "SELECT extract(epoch FROM clock_timestamp())"))
            apart = abs(theirs - (before + time.time()) / 2)
        if apart > CLOCK:
            report.warn(
                f"the clocks of this machine and the database are {apart:.0f} s apart", mend
            )
            return
    if "tertulia_chat_message" not in connection.introspection.table_names():
        return
    newest = Message.objects.order_by("-pk").values_list("sent_at", flat=True).first()
    if newest is not None and (ahead := (newest - timezone.now()).total_seconds()) > CLOCK:
        report.warn(f"the newest message was sent {ahead:.0f} s in the future", mend)
    else:
        report.ok("the clock is right, as far as can be seen")
