"""Makes sure that looking at the database cannot change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tertulia.project.environment import Environment

SECONDS = 10  # for one statement

# What was configured, for the checks that ask about it.
configured: dict[str, Any] = {}


def restrict(env: Environment, entry: dict[str, Any]) -> bool:
    """Change Django's DATABASES entry before it is used; whether there is a database to ask.

    SQLite would make the file, and its WAL mode, by being connected to. Where no server has it
    open there is no WAL, and without `immutable` one would be left behind.
    """
    options = entry.setdefault("OPTIONS", {})
    configured.update({"OPTIONS": dict(options), "NAME": entry["NAME"]})
    if entry["ENGINE"].endswith("sqlite3"):
        path = Path(entry["NAME"])
        if not path.exists():
            return False
        running = path.with_name(path.name + "-wal").exists()
        entry["NAME"] = f"file:{quote(str(path))}?mode=ro{'' if running else '&immutable=1'}"
        options["init_command"] = "PRAGMA query_only=ON"
        return True
    options.pop("pool", None)
    more = f"-c default_transaction_read_only=on -c statement_timeout={SECONDS * 1000}"
    options["options"] = f"{options.get('options', '')} {more}".strip()
    return True
