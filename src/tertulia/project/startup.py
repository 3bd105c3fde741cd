"""Before anything else: the folder, the key, Django, a database that answers and is up to date."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import database, datafolder
from .environment import Environment, SettingsError, without_password

logger = logging.getLogger("tertulia.project")

# Any number will do, as long as nothing else in this database takes it.
MIGRATION_LOCK = 0x7E47_0001


def load(env: Environment, *, pool: bool = False) -> None:
    """The data folder, and Django with it. Raises SettingsError.

    A passing command takes one connection and no `pool`, which would start threads and hide
    why a database does not answer.
    """
    datafolder.prepare(env)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
    import django
    from django.conf import settings

    if not pool:
        settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()


def prepare(env: Environment, *, pool: bool = False, verbosity: int = 0) -> None:
    """Everything up to a database that can be used. Raises SettingsError."""
    load(env, pool=pool)
    with database_errors(env), alone(env):
        if verbosity or _behind():
            from django.core.management import call_command

            call_command("migrate", interactive=False, verbosity=verbosity)


def warn_without_redis(env: Environment) -> None:
    """Say it when Redis is away; messages are kept and delivered all the same, later."""
    if not env.redis_urls:
        return
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import RedisError
    from redis.retry import Retry

    for url in env.redis_urls:
        client = Redis.from_url(
            url, socket_connect_timeout=1, socket_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        try:
            client.ping()
        except (RedisError, OSError) as error:
            logger.warning(
                "Redis at %s does not answer (%s); until it does, messages reach"
                " other workers with a delay",
                without_password(url),
                type(error).__name__,
            )
        finally:
            client.close()


def disconnect() -> None:
    """Close this thread's connection; those who serve open their own."""
    from django.db import connection

    connection.close()


def database_refused(env: Environment, error: Exception) -> SettingsError:
    """What the database said, in a line that names it."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return SettingsError(f"cannot use the database {database.describe(env)}: {reason}")


@contextmanager
def database_errors(env: Environment) -> Iterator[None]:
    """What goes wrong with the database here is the operator's to mend, and told in one line."""
    from django.db import Error

    try:
        yield
    except Error as error:
        raise database_refused(env, error) from error


@contextmanager
def alone(env: Environment) -> Iterator[None]:
    """Connect, and keep servers that start together from migrating together, or while a backup
    is being restored."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with datafolder.locked(env.data):
            connection.ensure_connection()
            yield
        return
    # A connection apart, and past the pool, whose errors say only that time ran out.
    guard: Any = connection.copy()
    guard.settings_dict["OPTIONS"].pop("pool", None)
    try:
        with guard.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield
    finally:
        guard.close()


def _behind() -> bool:
    """Whether some migration has not been applied yet."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
