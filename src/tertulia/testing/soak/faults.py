"""The small faults of a soak: what they are, when they come, and how each is made."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..faults.registry import MODES, Mode
from ..installation import Installation
from ..proxy import Proxy
from ..server import Server
from ..services import Postgres, Redis
from ..stored import locked

LOCKED = 2.0  # seconds that SQLite is locked from outside
AWAY = 3.0  # seconds that Redis is away


@dataclass(frozen=True)
class SmallFault:
    """`every`: seconds between two, in a soak that is long enough for three."""

    name: str
    what: str
    modes: tuple[Mode, ...]
    every: float


KILLED = "server-killed"
FAULTS = (
    SmallFault("resets", "all connections are reset at the proxy", MODES, 20),
    SmallFault("sqlite-locked", "SQLite is locked from outside for 2 s", ("sqlite",), 90),
    SmallFault("redis-killed", "Redis is killed, and back 3 s later", ("scaled",), 120),
    SmallFault("postgres-restarted", "PostgreSQL restarts (fast)", ("scaled",), 180),
    # Not at intervals: a process has to live long to show whether it grows.
    SmallFault(KILLED, "a server is killed by SIGKILL, and started again", MODES, 0),
)
# When servers are killed, as shares of the whole time: in `scaled` always the last one.
KILLS: dict[Mode, tuple[float, ...]] = {"sqlite": (0.08,), "scaled": (0.08, 0.2)}


def plan(
    mode: Mode, seconds: float, names: Sequence[str], chance: random.Random
) -> list[tuple[float, str]]:
    """(seconds from the beginning, name), in order. `names`: those alone, none is all."""
    due: list[tuple[float, str]] = []
    for fault in FAULTS:
        if mode not in fault.modes or (names and fault.name not in names):
            continue
        if not fault.every:
            due += [(share * seconds, fault.name) for share in KILLS[mode]]
            continue
        every = min(fault.every, seconds / 3)
        at = every * chance.uniform(0.5, 1)
        while at < seconds * 0.95:
            due.append((at, fault.name))
            at += every * chance.uniform(0.8, 1.2)
    return sorted(due)


@dataclass
class Weather:
    """Makes them. `made` counts them."""

    installation: Installation
    proxies: list[Proxy]
    redis: Redis | None
    postgres: Postgres | None
    made: dict[str, int] = field(default_factory=dict)

    async def make(self, name: str) -> None:
        """Returns when it is over."""
        self.made[name] = self.made.get(name, 0) + 1
        match name:
            case "resets":
                for proxy in self.proxies:
                    proxy.reset_all()
            case "sqlite-locked":
                await asyncio.to_thread(_lock, self.installation.here)
            case "redis-killed":
                assert self.redis is not None
                await asyncio.to_thread(self.redis.kill9)
                await asyncio.sleep(AWAY)
                await asyncio.to_thread(self.redis.start)
            case "postgres-restarted":
                assert self.postgres is not None
                await asyncio.to_thread(self.postgres.restart)
            case "server-killed":
                await asyncio.to_thread(self.installation.there.restart)


def _lock(server: Server) -> None:
    with locked(server):
        time.sleep(LOCKED)
