"""A private PostgreSQL with its default settings: what it says is written has been synced."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tertulia.testing.processes import free_port

from .children import Served, carried_out

USER = "tertulia"
# As `tertulia doctor` would have it; everything else is PostgreSQL's own default.
OPTIONS = {"max_connections": "200"}


@dataclass(frozen=True)
class Postgres:
    """One cluster with an empty database."""

    pid: int
    url: str
    version: str


def program(name: str) -> str | None:
    """The path of a program of PostgreSQL; Debian keeps them in their version's folder."""
    folders = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)
    return shutil.which(name) or next(iter(folders), None)


def missing() -> str | None:
    """None, or what would install it."""
    if not (program("initdb") and program("postgres")):
        return "PostgreSQL is not installed: sudo apt-get install postgresql"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`"
    return None


def _unprivileged() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Make and start a cluster in `folder`, which is on the disk that SQLite's file is on too."""
    cluster = folder / "postgres"
    cluster.mkdir()
    owner = _unprivileged() if os.geteuid() == 0 else None
    become: list[str] = []
    if owner:
        # The folder above was made for us alone.
        folder.chmod(0o711)
        os.chown(cluster, owner.pw_uid, owner.pw_gid)
        become = [
            "setpriv",
            f"--reuid={owner.pw_uid}",
            f"--regid={owner.pw_gid}",
            "--clear-groups",
            # Becoming somebody else makes the kernel forget with whom it was to end.
            "--pdeathsig",
            "INT",
        ]
    port = free_port()
    initdb, server = program("initdb"), program("postgres")
    assert initdb
    assert server
    made = (
        initdb,
        "-D",
        str(cluster),
        "-U",
        USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    )
    carried_out([*become, *made, "--no-sync"], cluster)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        **OPTIONS,
    }
    words = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [*become, server, "-D", str(cluster), *words]
    served = Served(command, port, folder / "postgres.log", {})
    try:
        served.wait()
        url = f"postgres://{USER}@127.0.0.1:{port}/postgres"
        _wait(url)
        version = carried_out([server, "--version"], cluster).split()[2]
        yield Postgres(served.pid, url, version)
    finally:
        # SIGINT: ends the connections that are open.
        served.process.stop(signal.SIGINT, 10)


def _wait(url: str) -> None:
    """It listens a moment before it answers."""
    for _ in range(100):
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=2).close()
            return
        time.sleep(0.05)
    psycopg.connect(url, connect_timeout=2).close()
