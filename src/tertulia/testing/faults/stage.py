"""What a fault plays on: installations, services, load with its proof, and what is noted."""

from __future__ import annotations

import asyncio
import atexit
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from .. import prepared
from ..checker import DEADLINE, Verdict, Violation
from ..installation import Installation
from ..server import RELAXED, Server
from ..services import Postgres, Redis
from ..storm import Storm
from .outcome import Figure, Outcome
from .registry import Length, Mode

Value = TypeVar("Value")
Removable = TypeVar("Removable")

# Lines of a server's log that say nothing of a fault.
_AT_START = ("Tertulia is at ", "Set up the first administrator", "No mail server is set")

# The short length is played by the tests, beside whatever else the machine does: it shows that
# things come back at all, and the other lengths how soon.
TIMES, ROOM = ("s", "ms"), 5

# Seconds for judging what a storm recorded until its fault failed, and, of these, for answers.
EARLY, LAST_ANSWERS = 30.0, 8.0

Say = Callable[[str], None]


class _Shared:
    """One PostgreSQL cluster for all faults that do not break it, begun with the first."""

    cluster: Postgres | None = None

    @classmethod
    def postgres(cls) -> Postgres:
        if cls.cluster is None:
            made = Postgres()
            atexit.register(made.remove)
            cls.cluster = made.start()
        return cls.cluster

    @classmethod
    def remove(cls) -> None:
        if cls.cluster is not None:
            cls.cluster.remove()
            cls.cluster = None


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
            made = self.keep(Installation([Server(env=settings, **options)]))
            made.here.start()
            return made
        cluster = postgres or self._postgres or _Shared.postgres()
        # When it does not start, it removes by itself what it has begun.
        return self.keep(
            Installation.scaled(
                cluster, redis or self.redis(), settings, servers=servers, **options
            )
        )

    def postgres(self) -> Postgres:
        """A PostgreSQL of this fault's own, to be broken; the installations made later use it."""
        if self._postgres is None:
            self._postgres = self.keep(Postgres()).start()
        return self._postgres

    def redis(self) -> Redis:
        """A Redis of this fault's own, to be broken; the installations made later use it."""
        if self._redis is None:
            self._redis = self.keep(Redis()).start()
        return self._redis

    def keep(self, made: Removable) -> Removable:
        """Something of the fault's own with `remove()`, which is called at its end: to be kept
        before it is started, so that nothing is left of what does not come up."""
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
        if self.length == "short":
            how.setdefault("deadline", ROOM * DEADLINE)
        async with Storm(installation, **how) as storm:
            self._storm = storm
            self.outcome.unjudged += 1
            try:
                yield storm
            except Exception:
                await self._judge_early(storm)
                raise
            else:
                await self._judge(storm)
            finally:
                self.outcome.acknowledged += storm.acknowledged
                self._storm = None

    async def _judge(self, storm: Storm) -> None:
        self.outcome.take(await storm.verdict())
        self.outcome.unjudged -= 1

    async def _judge_early(self, storm: Storm) -> None:
        """The fault has failed: what was recorded until then is judged all the same, if the
        installation answers."""
        with suppress(Exception):
            async with asyncio.timeout(EARLY):
                await storm.abandon(LAST_ANSWERS)
                await self._judge(storm)

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
        if at_most is not None and unit in TIMES and self.length == "short":
            at_most *= ROOM
        self.outcome.figures.append(Figure(name, value, unit, at_most))

    def expect(self, condition: object, what: str) -> None:
        """Something that has to hold; `what` says what does, in words for the report."""
        if not condition:
            self.outcome.violations.append(f"does not hold: {what}")

    def blame(self, found: Iterable[Violation]) -> None:
        """Violations that were found beside a storm, by the checker or by the fault itself."""
        verdict = Verdict()
        verdict.add(found)
        self.outcome.blame(verdict)

    def checked(self, *counts: str) -> None:
        """These counts of the outcome ("lost", "leaked") were looked at beside a storm: 0, but
        for what is blamed."""
        self.outcome.checked(*counts)

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

    @staticmethod
    def end_of_process() -> None:
        """Ends what faults of one process share, where no interpreter does at its exit."""
        _Shared.remove()
        prepared.remove()
