"""A private PostgreSQL on a free port, with the settings that it has where nobody changes any."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg

USER = "tertulia"
_PATIENCE = 60.0  # seconds


class Cluster:
    """Made in `folder`, and gone with `stop()` and the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner = _unprivileged() if os.geteuid() == 0 else None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        folder = self._folder
        folder.mkdir(parents=True)
        if self._owner:
            # PostgreSQL refuses to run as root, and its user must be able to come in.
            shutil.chown(folder, self._owner, self._owner)
            # Its parent is a temporary folder that only this user may enter.
            folder.parent.chmod(folder.parent.stat().st_mode | 0o011)
        told = {"user": self._owner, "group": self._owner} if self._owner else {}
        told: dict[str, Any] = {"cwd": folder}
        if self._owner:
            told |= {"user": self._owner, "group": self._owner, "extra_groups": []}
        place = ("-D", str(folder / "data"))
        made = (*place, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run([_program("initdb"), *made], check=True, capture_output=True, **told)  # noqa: S603
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": folder,
            # Nobody cuts the power here; and what autovacuum does is done once, after filling.
            "fsync": "off",
            "autovacuum": "off",
            "max_wal_size": "4GB",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [_program("postgres"), *place, *words]
        with (folder / "log").open("wb") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **told)  # noqa: S603
        deadline = time.monotonic() + _PATIENCE
        while not self._answers():
            if time.monotonic() > deadline:
                raise SystemExit(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            return True
        return False

    def url(self, database: str) -> str:
        """The address of a database in it."""
        return f"postgres://{USER}@127.0.0.1:{self._port}/{database}"

    def create(self, database: str) -> str:
        """A new, empty database; its address."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')  # type: ignore[call-overload]
        return self.url(database)

    def stop(self) -> None:
        """Ends its connections and itself."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(60)


def _program(name: str) -> str:
    """Debian keeps PostgreSQL's programs in the folder of their version."""
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if not found:
        raise SystemExit(f"{name} is not installed: --database sqlite needs none")
    return found


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise SystemExit("PostgreSQL does not run as root, and no other user was found")
