"""The real command in a process of its own, with a data folder and an environment of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from . import prepared
from .processes import Process, children, free_port
from .shell import Shell

# The folder that holds the package, installed or in a clone.
SOURCE = Path(__file__).parents[2]
START_SECONDS = 60.0
# Load sends more than a person may, and tests make their people; those of the limits set their own.
RELAXED = {"TERTULIA_LIMITS": "off", "TERTULIA_SIGNUP": "open"}

# Only what a program needs to run at all; nothing that configures Tertulia leaks in.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LD_LIBRARY_PATH")

_names = itertools.count(1)


def clean_environment(**more: str) -> dict[str, str]:
    """The environment for a product process: the bare minimum and what the test says."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    source = str(SOURCE)
    path = f"{more.pop('PYTHONPATH')}:{source}" if "PYTHONPATH" in more else source
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path, **more}


class Server:
    """`python -m tertulia serve` on a free port; `start()` returns when it is ready.

    `database_url` None means SQLite in the data folder, `redis_url` None one process.
    """

    instances: list[Server] = []

    def __init__(
        self,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        workers: int = 1,
        open: bool = False,
        data: Path | None = None,
        port: int | None = None,
        arguments: Sequence[str] = (),
        prefix: Sequence[str] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        self.own_folder = data is None
        self.data = data or Path(tempfile.mkdtemp(prefix="tertulia-data-"))
        self.log = Path(tempfile.mkdtemp(prefix="tertulia-log-")) / "log"
        self.log.touch()
        self.port = port or free_port()
        self.workers = workers
        self.arguments = [*(["--open"] if open else []), *arguments]
        self.prefix = list(prefix)
        # Put before every command of `cli` and `people`, e.g. to enter a namespace.
        self.cli_prefix: list[str] = []
        self.env = {
            "TERTULIA_DATA": str(self.data),
            **({"DATABASE_URL": database_url} if database_url else {}),
            **({"REDIS_URL": redis_url} if redis_url else {}),
            **(env or {}),
        }
        self.process: Process | None = None
        self.pool: list[tuple[str, str]] = []
        self.pool_lock = threading.Lock()
        self._shell: Shell | None = None
        self._shell_lock = threading.Lock()
        Server.instances.append(self)

    # Addresses

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def ws(self) -> str:
        return f"ws://{self.host}"

    # Life

    def command(self) -> list[str]:
        # With failpoints, even none yet, it is the testing package's own launcher that serves.
        module = "tertulia.testing" if "TERTULIA_FAILPOINTS" in self.env else "tertulia"
        return [
            *(sys.executable, "-m", module, "serve", "--port", str(self.port)),
            *("--workers", str(self.workers), "--data", str(self.data), *self.arguments),
        ]

    def start(self, wait: bool = True) -> Server:
        self._prepare()
        self.process = Process(
            [*self.prefix, *self.command()],
            self.log,
            env=clean_environment(**self.env),
            cwd=self.data,
        )
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.remove()
                raise
        return self

    def _prepare(self) -> None:
        """A folder of our own begins with a database that has its tables, which is much quicker."""
        # With failpoints a server takes only what it has made itself; what is put before its
        # command may show it another folder.
        elsewhere = self.prefix or self.env.keys() & {"DATABASE_URL", "TERTULIA_FAILPOINTS"}
        if self.own_folder and not elsewhere and not any(self.data.iterdir()):
            shutil.copyfile(prepared.sqlite_database(), self.database_file())

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        assert self.process
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.process.running:
                raise AssertionError(f"the server ended at its start:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not ready after {seconds} s:\n{self.tail()}")
            time.sleep(0.05)

    def ready(self) -> bool:
        return self.status("/readyz") == 200

    def status(self, path: str) -> int | None:
        """The HTTP status of a GET, or None when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def kill9(self) -> None:
        """SIGKILL to every process of this server at once."""
        assert self.process
        self.process.kill9()

    def worker_pids(self) -> list[int]:
        """The processes that hold sockets: the children, or the one process itself."""
        assert self.process
        return children(self.process.pid) or [self.process.pid]

    def terminate(self) -> int:
        assert self.process
        return self.process.stop()

    def restart(self, kill: bool = True) -> None:
        """Down, by SIGKILL unless told otherwise, and up again on the same port and data."""
        if kill:
            self.kill9()
        else:
            self.terminate()
        self.start()

    def remove(self) -> None:
        if self.process:
            self.process.stop(signal.SIGTERM, 5)
        self._end_shell()
        with contextlib.suppress(ValueError):
            Server.instances.remove(self)
        if self.own_folder:
            shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.log.parent, ignore_errors=True)

    def tail(self, offset: int = 0, limit: int = 6000) -> str:
        """The server's output since `offset` bytes, at most the last `limit` characters."""
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace")[-limit:]

    def database_file(self) -> Path:
        """Where the tests may read the embedded database."""
        return self.data / "tertulia.sqlite3"

    # The command line

    def cli(
        self, *arguments: str, stdin: str = "", seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """`python -m tertulia ARGUMENTS` in this server's environment."""
        return subprocess.run(
            [*self.cli_prefix, sys.executable, "-m", "tertulia", *arguments],
            input=stdin,
            env=clean_environment(**self.env),
            cwd=self.data,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    def createuser(self, name: str, *, admin: bool = False, password: str = "") -> None:
        arguments = ["createuser", name, *(["--admin"] if admin else [])]
        if password:
            arguments.append("--password-stdin")
        done = self.cli(*arguments, stdin=password + "\n")
        assert done.returncode == 0, done.stderr

    def token(self, name: str) -> str:
        done = self.cli("token", name)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def shell(self, code: str) -> str:
        """Python with Django set up, as by `tertulia manage shell -c CODE`; its output."""
        return self._shell_of_now().run(code)

    def _shell_of_now(self) -> Shell:
        """The one at hand; a new one where it has ended, or the environment has changed since."""
        env = clean_environment(**self.env)
        with self._shell_lock:
            now = (env, self.cli_prefix)
            if self._shell and (self._shell.ended or self._shell.begun_with != now):
                self._end_shell()
            if self._shell is None:
                self._shell = Shell(env, self.data, self.cli_prefix, self.log.parent / "shell")
            return self._shell

    def _end_shell(self) -> None:
        if self._shell:
            self._shell.close()
            self._shell = None

    def people(self, count: int, batch: int = 40) -> list[tuple[str, str]]:
        """That many (name, token) of people nobody else in the tests has met."""
        with self.pool_lock:
            return self._take_people(count, batch)

    def _take_people(self, count: int, batch: int) -> list[tuple[str, str]]:
        while len(self.pool) < count:
            names = [f"p{next(_names)}" for _ in range(max(batch, count - len(self.pool)))]
            code = f"from tertulia.testing.enrol import enrol\nprint(enrol({names!r}))"
            self.pool += json.loads(self._shell_of_now().run(code)).items()
        taken, self.pool = self.pool[:count], self.pool[count:]
        return taken
