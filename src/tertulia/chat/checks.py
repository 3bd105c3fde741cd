"""System checks: a misspelt setting is named, with its nearest relative."""

from __future__ import annotations

import sqlite3
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection

from .conf import KEYS

# For `UPDATE … FROM`.
OLDEST_SQLITE = (3, 33, 0)


@register()
def known_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every key of `settings.TERTULIA` is one that means something."""
    values = getattr(settings, "TERTULIA", {})
    if not isinstance(values, dict):
        return [Error("settings.TERTULIA must be a dictionary.", id="tertulia.E001")]
    found: list[CheckMessage] = [_unknown(key) for key in values if key not in KEYS]
    return found + [_wrong(key) for key, value in values.items() if not _fits(key, value)]


_KINDS: dict[str, tuple[Any, str]] = {
    "OPEN": (bool, "True or False"),
    "LIMITS": (bool, "True or False"),
    "SITE_ORIGIN": (str | None, "a text or None"),
    "ALLOWED_ORIGINS": (list | tuple, "a list of texts"),
    "INVITE_BY_MAIL": (bool | None, "True, False or None"),
    "NEWCOMERS": (str | None, "the path of a function, as a text, or None"),
    "HEARTBEAT": (int, "a whole number of seconds"),
    "MAX_SOCKETS": (int, "a whole number of sockets"),
}


def _fits(key: str, value: Any) -> bool:
    """Whether the value is of the kind that the key wants; unknown keys have their own error."""
    if key not in _KINDS:
        return True
    if _KINDS[key][0] is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return isinstance(value, _KINDS[key][0])


def _wrong(key: str) -> Error:
    return Error(f"settings.TERTULIA[{key!r}] must be {_KINDS[key][1]}.", id="tertulia.E003")


@register()
def suitable_database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What the log needs of the project: aware times, and a lock that is taken at once."""
    found: list[CheckMessage] = []
    if not settings.USE_TZ:
        found.append(Error("Tertulia needs USE_TZ = True.", id="tertulia.E004"))
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        found.append(
            Error(
                f"SQLite {sqlite3.sqlite_version} is too old: Tertulia needs "
                + ".".join(map(str, OLDEST_SQLITE))
                + " or newer.",
                hint="Use a newer Python or system, or PostgreSQL.",
                id="tertulia.E005",
            )
        )
    options = connection.settings_dict.get("OPTIONS", {})
    mode = str(options.get("transaction_mode", "")).upper()
    if connection.vendor == "sqlite" and mode not in ("IMMEDIATE", "EXCLUSIVE"):
        found.append(
            Warning(
                "SQLite begins transactions without a lock: under load they fail with"
                " “database is locked”.",
                hint='Set OPTIONS["transaction_mode"] = "IMMEDIATE", and journal_mode=WAL'
                ' and synchronous=FULL in OPTIONS["init_command"].',
                id="tertulia.W001",
            )
        )
    return found


@register()
def place_for_pictures(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Where people's pictures go: without a folder, Django takes the one it was started in."""
    if isinstance(default_storage, FileSystemStorage) and not default_storage.base_location:
        return [
            Warning(
                "People's pictures would be kept in the folder that the server is started in.",
                hint="Set MEDIA_ROOT, or another default storage in STORAGES.",
                id="tertulia.W002",
            )
        ]
    return []


def _unknown(key: str) -> Error:
    near = get_close_matches(str(key), KEYS, n=1, cutoff=0.0)
    return Error(
        f"settings.TERTULIA has no key {key!r}.",
        hint=f"Did you mean {near[0]!r}?" if near else None,
        id="tertulia.E002",
    )
