"""Which migrations a database has had, and which this version knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Migration = tuple[str, str]


def newer_ones(recorded: Iterable[Migration]) -> list[Migration]:
    """Those that this version does not know."""
    from django.db.migrations.loader import MigrationLoader

    known = set(MigrationLoader(None).disk_migrations)
    return [each for each in recorded if each not in known]


def migrate_to(recorded: Iterable[Migration]) -> None:
    """Bring a new database to where another one was."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate(_last_ones(executor.loader.graph.node_map, recorded))


def _last_ones(nodes: Mapping[Any, Any], recorded: Iterable[Migration]) -> list[Migration]:
    """Of each application the migrations that no other recorded one of it builds upon."""
    by_app: dict[str, set[Migration]] = defaultdict(set)
    for app, name in recorded:
        by_app[app].add((app, name))
    return [
        each
        for ones in by_app.values()
        for each in sorted(ones)
        if not any(child.key in ones for child in nodes[each].children)
    ]


def migrate_on() -> None:
    """Bring what was restored to this version."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
