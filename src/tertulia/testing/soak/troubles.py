"""The small faults of a soak: what they are, when they come, and how each is made."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..installation import Installation
from ..proxy import Proxy
from ..services import Postgres, Redis

Mode = Literal["sqlite", "scaled"]
MODES: tuple[Mode, ...] = ("sqlite", "scaled")

LOCKED = 2.0  # seconds that SQLite is locked from outside
AWAY = 3.0  # seconds that Redis is away


@dataclass(frozen=True)
class Trouble:
    """`every`: seconds between two, in a soak that is long enough for three."""

    name: str
    what: str
    modes: tuple[Mode, ...]
    every: float


TROUBLES = (
    Trouble("resets", "all connections are reset at the proxy", MODES, 20),
    Trouble("sqlite-locked", "SQLite is locked from outside for 2 s", ("sqlite",), 90),
    Trouble("redis-killed", "Redis is killed, and back 3 s later", ("scaled",), 120),
    Trouble("postgres-restarted", "PostgreSQL restarts (fast)", ("scaled",), 180),
    # Not at intervals: a process has to live long to show whether it grows.
    Trouble("worker-killed", "a server process is killed by SIGKILL", MODES, 0),
)
# When processes are killed, as shares of the whole time: in `scaled` always the last one.
KILLS: dict[Mode, tuple[float, ...]] = {"sqlite": (0.08,), "scaled": (0.08, 0.2)}


def plan(
    mode: Mode, seconds: float, names: Sequence[str], chance: random.Random
) -> list[tuple[float, str]]:
    """(seconds from the beginning, name), in order. `names`: those alone, none is all."""
    due: list[tuple[float, str]] = []
    for trouble in TROUBLES:
        if mode not in trouble.modes or (names and trouble.name not in names):
            continue
        if not trouble.every:
            due += [(share * seconds, trouble.name) for share in KILLS[mode]]
            continue
        every = min(trouble.every, seconds / 3)
        at = every * chance.uniform(0.5, 1)
        while at < seconds * 0.95:
            due.append((at, trouble.name))
            at += every * chance.uniform(0.8, 1.2)
    return sorted(due)


@dataclass
class Weather:
    """Carries them out. `did` counts them."""

    installation: Installation
    proxies: list[Proxy]
    redis: Redis | None
    postgres: Postgres | None
    did: dict[str, int] = field(default_factory=dict)

    async def make(self, name: str) -> None:
        """Returns when it is over."""
        self.did[name] = self.did.get(name, 0) + 1
        match name:
            case "resets":
                for proxy in self.proxies:
                    proxy.reset_all()
            case "sqlite-locked":
                await asyncio.to_thread(_lock, self.installation.here.database_file())
            case "redis-killed":
                assert self.redis is not None
                await asyncio.to_thread(self.redis.kill9)
                await asyncio.sleep(AWAY)
                await asyncio.to_thread(self.redis.start)
            case "postgres-restarted":
                assert self.postgres is not None
                await asyncio.to_thread(self.postgres.restart)
            case "worker-killed":
                await asyncio.to_thread(self.installation.there.restart)


def _lock(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(LOCKED)
        connection.execute("ROLLBACK")
