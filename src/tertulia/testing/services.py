"""A private Redis and a private PostgreSQL on free ports, in folders of their own.

The machine's own services are never touched.
"""

from __future__ import annotations

import glob
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from importlib import import_module
from pathlib import Path

from . import prepared
from .processes import Process, free_port, listening, wait_for


class Missing(Exception):
    """A program, or an optional part of the package, that is needed here is not installed."""


def find_program(name: str) -> str:
    """The full path of a program; PostgreSQL's are often only in their version's folder."""
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if not found:
        raise Missing(f"{name} is not installed")
    return found


def need_extra(module: str, extra: str) -> None:
    """Raises `Missing` where `module`, a part of tertulia[EXTRA], cannot be imported."""
    try:
        import_module(module)
    except ImportError as error:
        raise Missing(f"tertulia[{extra}] is not installed: {error}") from error


class Redis:
    """A redis-server without persistence: a restart forgets everything, as a crash would.

    `Missing` also where servers could not speak to it, for want of tertulia[redis].
    """

    def __init__(self) -> None:
        need_extra("channels_redis", "redis")
        self.program = find_program("redis-server")
        self.folder = Path(tempfile.mkdtemp(prefix="tertulia-redis-"))
        self.port = free_port()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Redis:
        self.process = Process(
            [
                *(self.program, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
            ],
            self.folder / "log",
        )
        wait_for(lambda: listening(self.port), 10, "Redis listens")
        return self

    def command(self, *words: str) -> bytes:
        """One command over a connection of its own; the first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(4096).split(b"\r\n")[0]

    def flush(self) -> None:
        """FLUSHALL."""
        assert self.command("FLUSHALL") == b"+OK"

    def kill9(self) -> None:
        if self.process:
            self.process.kill9()

    def restart(self) -> None:
        """Killed without warning and back on the same port, empty."""
        self.kill9()
        self.start()

    def remove(self) -> None:
        if self.process:
            self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres:
    """One cluster; every server gets a new, empty database in it.

    `Missing` also where nobody could speak to it, for want of tertulia[postgres].
    """

    USER = "tertulia"

    def __init__(self) -> None:
        need_extra("psycopg", "postgres")
        self.programs = find_program("initdb"), find_program("postgres")
        # PostgreSQL refuses to run as root.
        self.owner = _unprivileged_user() if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="tertulia-postgres-"))
        self.port = free_port()
        self.process: Process | None = None
        self.numbers = itertools.count(1)
        self._preparing = threading.Lock()
        self._prepared = False
        # Put before the server's command, to enter a namespace; it has to become `owner` itself.
        self.prefix: list[str] = []
        if self.owner:
            os.chown(self.folder, pwd.getpwnam(self.owner).pw_uid, pwd.getpwnam(self.owner).pw_gid)

    def start(self) -> Postgres:
        initdb, postgres = self.programs
        cluster = self.folder / "data"
        if not cluster.exists():
            subprocess.run(
                [
                    *(initdb, "-D", str(cluster), "-U", self.USER),
                    *("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
                ],
                check=True,
                capture_output=True,
                user=self.owner,
                group=self.owner,
                extra_groups=[] if self.owner else None,
                cwd=self.folder,
            )
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": 200,
            "shared_buffers": "64MB",
            # Only speed is given up: no test here cuts the power.
            "fsync": "off",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.process = Process(
            [*self.prefix, postgres, "-D", str(cluster), *settings],
            self.folder / "log",
            cwd=self.folder,
            user=None if self.prefix else self.owner,
        )
        wait_for(self._answers, 30, "PostgreSQL answers")
        return self

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgres://{self.USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, *, tables: bool = False) -> str:
        """The address of a new database: empty, or as `tertulia migrate` leaves it."""
        name = f"tertulia_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}"{self._with_tables() if tables else ""}')
        return self.url(name)

    def _with_tables(self) -> str:
        with self._preparing:
            if not self._prepared:
                self.execute("CREATE DATABASE prepared")
                prepared.postgresql_database(self.url("prepared"))
                self._prepared = True
        return " TEMPLATE prepared"

    def execute(self, statement: str) -> None:
        """As the cluster's owner, outside of any transaction."""
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: fast shutdown; SIGQUIT: immediate, recovers as after a crash."""
        if self.process:
            self.process.stop(how)
        self.start()

    def remove(self) -> None:
        if self.process:
            self.process.stop(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


def _unprivileged_user() -> str:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise Missing("an unprivileged user to run PostgreSQL as")
