"""The databases of a run, set up as an installation sets up its own, and which of them is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any


def set_up(folder: Path, urls: dict[str, str | None]) -> None:
    """Django with a database for each alias; a URL of None is SQLite in the folder."""
    os.environ["TERTULIA_DATA"] = str(folder / "data")
    os.environ["TERTULIA_LOG"] = "text"
    os.environ.pop("DATABASE_URL", None)
    from tertulia.project import database, datafolder, environment

    env = environment.read()
    datafolder.prepare(env)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tertulia.project.settings"
    import django
    from django.conf import settings

    entries: dict[str, Any] = {}
    for alias, url in urls.items():
        entry = database.database(
            replace(env, database_url=url or f"sqlite:///{folder}/{alias}.db")
        )
        entry["OPTIONS"].pop("pool", None)
        # A reader thread keeps its connection, and so is measured here.
        entries[alias] = entry | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": False}
    settings.DATABASES = {"default": next(iter(entries.values())), **entries}
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()


@contextmanager
def using(alias: str) -> Iterator[Any]:
    """What the product calls its database is this one; the connection."""
    from django.db import connections

    from tertulia.chat.log import forget_rooms

    before = connections["default"]
    connections["default"] = connections[alias]
    forget_rooms()
    try:
        yield connections[alias]
    finally:
        connections["default"] = before
