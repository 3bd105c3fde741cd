"""A database that has its tables already, to be copied for each server that is started.

Making the tables takes three times as long as all the rest of a server's start.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_lock = threading.Lock()
# The process that has made it, since a forked one must not remove its parent's; and where it is.
_made: tuple[int, Path] | None = None


def sqlite_database() -> Path:
    """A SQLite file as `tertulia migrate` leaves it, made once a process."""
    global _made
    with _lock:
        if _made is None or _made[0] != os.getpid():
            folder = Path(tempfile.mkdtemp(prefix="tertulia-prepared-"))
            _made = os.getpid(), folder
            atexit.register(remove)
            _migrate(folder)
        return _made[1] / "tertulia.sqlite3"


def postgresql_database(url: str) -> None:
    """Makes the tables of an empty database of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="tertulia-prepared-") as folder:
        _migrate(Path(folder), DATABASE_URL=url)


def _migrate(folder: Path, **env: str) -> None:
    from .server import clean_environment

    done = subprocess.run(
        [sys.executable, "-m", "tertulia", "migrate"],
        env=clean_environment(TERTULIA_DATA=str(folder), **env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise RuntimeError(f"tertulia migrate failed:\n{done.stderr}")


def remove() -> None:
    """At the end of a process; for those that end past the interpreter's own exit."""
    global _made
    if _made is not None and _made[0] == os.getpid():
        shutil.rmtree(_made[1], ignore_errors=True)
        _made = None
