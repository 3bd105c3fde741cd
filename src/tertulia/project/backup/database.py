"""Which database is saved or restored into, and its tables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import postgres, sqlite

# Saved as a list of migrations, and written by migrating.
_MIGRATIONS = "django_migrations"


def snapshot() -> AbstractContextManager[sqlite.Snapshot | postgres.Snapshot]:
    """One state of the configured database."""
    from django.db import connection

    if connection.vendor == "sqlite":
        from . import sqlite

        return sqlite.snapshot(connection)
    from . import postgres

    return postgres.snapshot(connection)


def target() -> sqlite.Target | postgres.Target:
    """The configured database, to be restored into."""
    from django.db import connection

    if connection.vendor == "sqlite":
        from . import sqlite

        return sqlite.Target(connection)
    from . import postgres

    return postgres.Target(connection)


def tables() -> list[str]:
    """All tables of the site's applications that are there."""
    from django.db import connection

    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return sorted(set(names) - {_MIGRATIONS})
