"""What a fault plays on: installations, services, load with its proof, and what is noted."""

from __future__ import annotations

import asyncio
import atexit
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..checker import Verdict, Violation
from ..installation import Installation
from ..server import Server
from ..services import Postgres, Redis
from ..storm import Storm
from .outcome import Figure, Outcome
from .registry import Length, Mode

Value = TypeVar("Value")
Removable = TypeVar("Removable")

# Load sends more than a person may; faults of the limits set their own.
RELAXED = {"TERTULIA_LIMITS": "off", "TERTULIA_SIGNUP": "open"}

# Lines of a server's log that say nothing of a fault.
_AT_START = ("Tertulia is at ", "Set up the first administrator", "No mail server is set")

Say = Callable[[str], None]


class _Shared:
    """One PostgreSQL cluster for all faults that do not break it, begun with the first."""

    cluster: Postgres | None = None

    @classmethod
    def postgres(cls) -> Postgres:
        if cls.cluster is None:
            cls.cluster = Postgres().start()
            atexit.register(cls.cluster.remove)
        return cls.cluster


class Stage:
    """Handed to every fault. All that it makes is removed at the end of the fault."""

    def __init__(self, outcome: Outcome, say: Say = lambda text: None) -> None:
        self.outcome = outcome
        self.mode: Mode = outcome.mode
        self.length: Length = outcome.length
        self.say = say
        self.chance = random.Random()  # moments of a kill, no secret
        # How many trials are due, where a fault knows it; for the progress that is shown.
        self.due: int | None = None
        self._stack = ExitStack()
        self._servers: list[Server] = []
        self._storm: Storm | None = None
        self._postgres: Postgres | None = None
        self._redis: Redis | None = None

    def choose(self, *, short: Value, full: Value, quick: Value | None = None) -> Value:
        """The value for the length that is played; `quick` is `short` unless given."""
        if self.length == "full":
            return full
        return quick if self.length == "quick" and quick is not None else short

    # What it plays on

    def installation(
        self,
        servers: int = 2,
        *,
        env: Mapping[str, str] | None = None,
        postgres: Postgres | None = None,
        redis: Redis | None = None,
        **options: Any,
    ) -> Installation:
        """A running installation of this mode; `options` go to every `Server`.

        SQLite has one server, whatever `servers` says. The database is a new one in `postgres`,
        else in the fault's own cluster, else in one that faults share; Redis is `redis`, else
        the fault's own. Whatever has `new_database()` or `url` may stand for them, such as a proxy.
        """
        settings = {**RELAXED, **(env or {})}
        if self.mode == "sqlite":
            server = Server(env=settings, **options).start()
            made = Installation([server])
        else:
            cluster = postgres or self._postgres or _Shared.postgres()
            made = Installation.scaled(
                cluster, redis or self.redis(), settings, servers=servers, **options
            )
        self._stack.callback(made.remove)
        self._servers += made.servers
        return made

    def postgres(self) -> Postgres:
        """A PostgreSQL of this fault's own, to be broken; the installations made later use it."""
        if self._postgres is None:
            self._postgres = Postgres().start()
            self._stack.callback(self._postgres.remove)
        return self._postgres

    def redis(self) -> Redis:
        """A Redis of this fault's own, to be broken; the installations made later use it."""
        if self._redis is None:
            self._redis = Redis().start()
            self._stack.callback(self._redis.remove)
        return self._redis

    def keep(self, made: Removable) -> Removable:
        """Something of the fault's own with `remove()`, which is called at its end."""
        self._stack.callback(made.remove)  # type: ignore[attr-defined]
        if isinstance(made, Installation):
            self._servers += made.servers
        return made

    def folder(self) -> Path:
        """A new empty folder."""
        made = Path(tempfile.mkdtemp(prefix="tertulia-fault-"))
        self._stack.callback(shutil.rmtree, made, ignore_errors=True)
        return made

    @asynccontextmanager
    async def storm(self, installation: Installation, **how: Any) -> AsyncIterator[Storm]:
        """Load on a room (`Storm`), recorded; at the end it is drained and checked."""
        async with Storm(installation, **how) as storm:
            self._storm = storm
            try:
                yield storm
                await self._settle(storm)
            finally:
                self.outcome.acknowledged += storm.acknowledged
                self._storm = None

    async def _settle(self, storm: Storm) -> None:
        verdict = await storm.verdict()
        self.outcome.take(verdict)

    # What is noted

    @property
    def acknowledged(self) -> int:
        """Sends answered so far, those of the present storm included."""
        return self.outcome.acknowledged + (self._storm.acknowledged if self._storm else 0)

    def answered(self, count: int) -> None:
        """So many sends more were answered, beside those of storms."""
        self.outcome.acknowledged += count

    def trial(self, count: int = 1) -> None:
        """So many trials (kills, restarts, races) more were made."""
        self.outcome.trials += count

    def trials(self, count: int) -> Iterator[int]:
        """0, 1, ... below `count`, each counted as a trial when it is over."""
        self.due = (self.due or 0) + count
        for number in range(count):
            yield number
            self.trial()

    def figure(self, name: str, value: float, unit: str, *, at_most: float | None = None) -> None:
        """Something measured, with the bound within which it passes."""
        self.outcome.figures.append(Figure(name, value, unit, at_most))

    def expect(self, condition: object, what: str) -> None:
        """Something that has to hold; `what` says what does, in words for the report."""
        if not condition:
            self.outcome.violations.append(f"does not hold: {what}")

    def blame(self, found: Iterable[Violation]) -> None:
        """Violations that were found beside a storm, by the checker or by the fault itself."""
        verdict = Verdict()
        verdict.add(found)
        self.outcome.take(verdict)

    def converged(self, seconds: float) -> None:
        """Somebody had everything again after so long, where no storm tells; the worst is kept."""
        self.outcome.converged = max(self.outcome.converged or 0.0, seconds)

    def note(self, text: str) -> None:
        """What could not be done here, or what the reader of the table has to know."""
        self.outcome.notes.append(text)

    # The end

    def tails(self) -> str:
        """The end of what every server wrote, without what each says at its start."""
        found = []
        for server in self._servers:
            lines = server.tail(limit=20_000).splitlines() if server.log.exists() else []
            told = [line for line in lines if not any(word in line for word in _AT_START)]
            if told:
                found.append("\n".join([f"--- the server at {server.host} wrote:", *told[-30:]]))
        return "\n".join(found)

    async def close(self) -> None:
        """Ends servers and services."""
        await asyncio.to_thread(self._stack.close)
