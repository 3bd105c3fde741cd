"""DATABASE_URL → Django's DATABASES entry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .environment import Environment, SettingsError, need, split_url, without_password

SQLITE_NAME = "tertulia.sqlite3"
# PostgreSQL admits 100 connections unless told otherwise; all workers together stay below.
ALL_CONNECTIONS = 80
# What one process can use at once: four readers, the writer, four lanes and one that looks, and
# five for pages, figures and health. PostgreSQL's max_connections must allow for as many in each
# worker.
NEEDED = 15
POOL = 20
# Of a connection to PostgreSQL, unless DATABASE_URL says otherwise: seconds until it has to be
# there; and after which a server that has gone without a word is taken for dead, when nothing is
# heard (idle, then three probes) or what was sent is not acknowledged (milliseconds).
TIMES = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def database(env: Environment) -> dict[str, Any]:
    """The settings of the one database. Raises SettingsError when the address is none."""
    url = env.database_url
    if url is None:
        return _sqlite(env.data / SQLITE_NAME)
    scheme = url.partition(":")[0].lower()
    if scheme in ("postgres", "postgresql"):
        return _postgresql(url, env.workers)
    if scheme == "sqlite":
        return _sqlite(_sqlite_path(url))
    raise SettingsError(
        "DATABASE_URL must be like postgres://user@host/name or sqlite:///file.sqlite3,"
        f" not {without_password(url)}"
    )


def is_sqlite(env: Environment) -> bool:
    """Whether the database is a file that one process should serve."""
    return env.database_url is None or env.database_url.lower().startswith("sqlite:")


def describe(env: Environment) -> str:
    """The database as it may be named in an error: no password."""
    if env.database_url is None:
        return str(env.data / SQLITE_NAME)
    return without_password(env.database_url)


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            # FULL: a commit outlives a power cut. WAL: readers never wait for the writer.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            # Deferred transactions that come to write fail at once when another one writes.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        },
    }


def _sqlite_path(url: str) -> Path:
    """`sqlite:///relative.db` and `sqlite:////absolute.db`, as everywhere."""
    match = re.fullmatch(r"sqlite:///([^?#]+)", url, re.IGNORECASE)
    path = unquote(match[1]) if match else ""
    if not path or path.endswith("/") or "\0" in path or path == ":memory:":
        raise SettingsError(
            "DATABASE_URL must name a file, like sqlite:///tertulia.sqlite3 or sqlite:////var/lib/chat.sqlite3"
        )
    return Path(path).absolute()


def _postgresql(url: str, workers: int) -> dict[str, Any]:
    need("psycopg", "postgres", "DATABASE_URL")
    # Only here, since it takes a fifth of a second: libpq reads its own addresses best
    # (sockets as hosts, several hosts, sslmode and the rest as parameters).
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    shown = without_password(url)
    if "," not in url:
        split_url(url, "DATABASE_URL")
    try:
        params: dict[str, Any] = dict(conninfo_to_dict(url))
    except (ProgrammingError, UnicodeError) as error:
        raise SettingsError(f"DATABASE_URL is not an address of PostgreSQL: {shown}") from error
    if not params.get("dbname"):
        raise SettingsError(f"DATABASE_URL names no database: {shown}")
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": params.pop("dbname"),
        "USER": params.pop("user", ""),
        "PASSWORD": params.pop("password", ""),
        "HOST": params.pop("host", ""),
        "PORT": params.pop("port", ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
    }
    most = max(NEEDED, min(POOL, ALL_CONNECTIONS // workers))
    # A pool that gave up trying is asked again by the next request; one that backs off for
    # minutes, or lets a request wait when it has given up, would stay away long after the
    # database is back.
    pool = {"min_size": 1, "max_size": most, "timeout": 5, "reconnect_timeout": 4}
    return {**entry, "OPTIONS": {**TIMES, **params, "pool": pool}}
