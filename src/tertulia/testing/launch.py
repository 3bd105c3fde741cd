"""`python -m tertulia.testing serve …`: `tertulia serve …` with failpoints, for throwing away.

It serves on loopback only, and only data that it has made itself. The rules are taken out of the
environment before the product reads it (which refuses to start with them) and reach the workers
with the configuration that the parent hands them.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from tertulia.project import serving, worker
from tertulia.project.database import is_sqlite
from tertulia.project.environment import Environment, SettingsError, need, read

from . import failpoints, firing

# In the data folder, and as a table in PostgreSQL: made by this command, and worth nothing.
MARK = "made-for-testing"
TABLE = "tertulia_made_for_testing"
STARTUP_FAILURE = 3  # uvicorn's: the parent of several workers gives up
# Keeps two that start together from making the table together.
LOCK = 0x7E47_0002

_honest = serving.serve
_rules = ""
_seed: str | None = None


class WorkerConfig(worker.WorkerConfig):
    """The product's, and the rules; unpickled in a worker, it brings this module with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # In the parent, with Django set up.
        try:
            firing.check(_rules)
        except failpoints.WrongFailpoint as error:
            raise SettingsError(str(error)) from error
        super().__init__(*args, **kwargs)
        self.rules = _rules
        self.seed = _seed

    def load(self) -> None:
        """After the application, whose functions are replaced, and before it begins."""
        super().load()
        try:
            firing.install(self.rules, self.seed, read().data)
        except failpoints.WrongFailpoint as error:
            # So that the parent gives up, and does not start it over and over.
            print(f"tertulia: {error}", file=sys.stderr, flush=True)
            raise SystemExit(STARTUP_FAILURE) from None


def serve(words: Sequence[str]) -> int:
    """`tertulia serve WORDS`; the exit status."""
    global _rules, _seed
    _rules = os.environ.pop(failpoints.VARIABLE, "")
    _seed = os.environ.pop(failpoints.SEED, "") or None
    try:
        failpoints.parse(_rules)
    except failpoints.WrongFailpoint as error:
        print(f"tertulia: {error}", file=sys.stderr)
        return 2
    worker.WorkerConfig = WorkerConfig  # type: ignore[misc]
    serving.serve = _serve
    sys.argv = ["tertulia", "serve", *words]
    try:
        # The command itself, with all that it does on its way to `serving.serve`.
        runpy.run_module("tertulia", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _serve(env: Environment, host: str, port: int) -> int:
    refuse_address(host)
    refuse_data(env)
    return _honest(env, host, port)


def refuse_address(host: str) -> None:
    """Raises SettingsError for whatever others can reach."""
    try:
        inside = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise SettingsError(
            f"{host} can be reached by others: with failpoints a server listens on loopback only"
        )


def refuse_data(env: Environment) -> None:
    """Mark an empty folder and an empty database; raises SettingsError for anybody's data."""
    mark = env.data / MARK
    if not mark.exists() and env.data.exists() and any(env.data.iterdir()):
        raise SettingsError(
            f"{env.data} was not made for testing: with failpoints a server takes an empty data"
            " folder, or one that it made itself"
        )
    if is_sqlite(env):
        if env.database_url is not None:
            raise SettingsError(
                "with failpoints a server keeps SQLite in its data folder: unset DATABASE_URL"
            )
    else:
        _refuse_postgres(env)
    env.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.touch()


def _refuse_postgres(env: Environment) -> None:
    need("psycopg", "postgres", "DATABASE_URL")
    import psycopg

    assert env.database_url is not None
    try:
        with psycopg.connect(env.database_url, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            tables = connection.execute(
                "SELECT tablename FROM pg_tables"
                " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            if tables and (TABLE,) not in tables:
                raise SettingsError(
                    "the database was not made for testing: with failpoints a server takes an"
                    " empty one, or one that it filled itself"
                )
            connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ()")
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"cannot use the database: {reason}") from error
