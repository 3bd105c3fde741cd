"""Tertulia itself: `tertulia serve`, as it is shipped.

Markdown, replies to every command, the check of `Origin` and the sign-in by bearer token are on,
and so are the rates and caps a person and an address: each connection is a person of its own, and
they come from 64 addresses. Only where one person has to send more than his rate are they off, and
then the name says so.
"""

from __future__ import annotations

import contextlib
import json
import platform
import secrets
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from tertulia.testing.processes import free_port

from ..enrol import ROOM
from . import postgres
from .base import Contender, Running, Steps
from .children import START_SECONDS, Failed, Served, environment, redis_server, scratch

ROOT = Path(__file__).parents[3]
ENROL = Path(__file__).parents[1] / "enrol.py"

WELCOME = ("", '"welcome"')
# The newest message comes with it, as few as the protocol admits.
SUBSCRIBE = f'{{"type":"room.subscribe","ref":1,"room":"{ROOM}","limit":1}}'
MESSAGE = f'{{"type":"message.send","ref":2,"room":"{ROOM}","key":"%U","text":"%S %P"}}'


class Tertulia(Contender):
    """`command(port)` starts the server; the rest is the same under each of them."""

    durable = True
    packages: tuple[str, ...] = ("Django", "channels", "uvicorn", "uvloop", "httptools")

    def __init__(
        self,
        key: str,
        name: str,
        *,
        on_postgres: bool = False,
        workers: int = 1,
        limits: bool = True,
        remarks: str = "",
    ) -> None:
        self.key = key
        self.name = name
        self.on_postgres = on_postgres
        self.workers = workers
        self.limits = limits
        self.remarks = remarks

    def command(self, port: int) -> list[str]:
        """What starts it."""
        words = [sys.executable, "-m", "tertulia", "serve", "--port", str(port)]
        return [*words, "--workers", str(self.workers)]

    def missing(self) -> str | None:
        if self.workers > 1 and not shutil.which("redis-server"):
            return "redis-server is not installed: sudo apt-get install redis-server"
        return postgres.missing() if self.on_postgres else None

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(scratch(work, self.key))
            env = {"PYTHONPATH": str(ROOT / "src"), "TERTULIA_DATA": str(folder / "data")}
            env["TERTULIA_SECRET_KEY"] = secrets.token_hex(32)
            versions = {"Python": platform.python_version()}
            versions |= {name: version(name) for name in self.packages}
            others: tuple[int, ...] = ()
            if not self.limits:
                env["TERTULIA_LIMITS"] = "off"
            if self.on_postgres:
                database = stack.enter_context(postgres.postgres(folder))
                env["DATABASE_URL"] = database.url
                versions |= {"PostgreSQL": database.version, "psycopg": version("psycopg")}
                others += (database.pid,)
            if self.workers > 1:
                redis = stack.enter_context(redis_server(folder))
                env["REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
                versions["channels-redis"] = version("channels-redis")
                others += (redis.pid,)
            made = json.loads(_enrolled(env, str(members)))
            port = free_port()
            site = stack.enter_context(_site(self.command(port), port, folder / "log", env))

            def kill() -> Callable[[], tuple[int, ...]]:
                again = site.kill()
                return lambda: again() + others

            yield Running(
                port=port,
                path="/ws/",
                pids=(site.pid, *others),
                message=MESSAGE,
                steps=(WELCOME, (SUBSCRIBE, '"ref":1')),
                headers=(f"Origin: http://127.0.0.1:{port}", "Authorization: Bearer %V"),
                values=tuple(made["tokens"]),
                # An event has the text and its HTML.
                copies=2,
                ack='"ok":true',
                writer_steps=(WELCOME,),
                versions=versions,
                kill=kill,
                resume=lambda missed: _resume(env, made["epoch"], missed),
            )


def _resume(env: dict[str, str], epoch: str, missed: int) -> Steps:
    after = int(_enrolled(env, "--head")) - missed
    say = {"type": "room.subscribe", "ref": 1, "room": ROOM, "after": after, "epoch": epoch}
    return (WELCOME, (json.dumps(say), '"ref":1'))


def _enrolled(env: dict[str, str], word: str) -> str:
    """What `enrol.py WORD` prints in the site's environment."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-P", ENROL, word],
        env=environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise Failed(f"enrol.py failed ({done.returncode}):\n{done.stderr[-2000:]}")
    return done.stdout


class _Site(Served):
    """Listening is not yet serving: the site says by itself when it is ready."""

    def wait(self) -> None:
        super().wait()
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if not self.process.running or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-2000:]
                raise Failed(f"{' '.join(map(str, self.command))} is not ready:\n{said}")
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.HTTPError, OSError):
            return False


@contextlib.contextmanager
def _site(command: list[str], port: int, log: Path, env: dict[str, str]) -> Iterator[_Site]:
    site = _Site(command, port, log, env)
    try:
        site.wait()
        yield site
    finally:
        site.process.stop(seconds=8)


SHIPPED = Tertulia("tertulia", "Tertulia", remarks="SQLite FULL")
CONTENDERS = [
    SHIPPED,
    Tertulia("tertulia-postgres", "Tertulia on PostgreSQL", on_postgres=True),
    Tertulia(
        "tertulia-workers",
        "Tertulia, two workers, Redis and PostgreSQL",
        on_postgres=True,
        workers=2,
        remarks="CPU of the workers, of Redis and of PostgreSQL together",
    ),
]
# For those who write as fast as they get replies, which no person may.
UNLIMITED = [
    Tertulia("tertulia-unlimited", "Tertulia, TERTULIA_LIMITS=off, SQLite FULL", limits=False),
    Tertulia(
        "tertulia-postgres-unlimited",
        "Tertulia, TERTULIA_LIMITS=off, PostgreSQL",
        on_postgres=True,
        limits=False,
    ),
]
