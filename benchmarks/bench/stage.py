"""Servers side by side with their generators, measured in turn."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .build import NoCompiler
from .contenders.base import Contender, Running
from .contenders.children import Failed
from .load import Answer, Load, LoadFailed, load
from .usage import cpu_seconds, memory_kib

Row = dict[str, Any]
# What may go wrong with one contender without ending the run.
TROUBLE = (Failed, LoadFailed, NoCompiler, OSError, subprocess.SubprocessError, ValueError)
# Seconds after the last opening before anything is measured: what a server does then is not
# part of a delivery.
SETTLE = 1.5


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: tuple[int, ...]
    rounds: int
    # Of one round.
    ms: int
    opening: int
    memory: int
    idle: int
    idle_seconds: int
    storm: int
    # How many, and how many messages each has under way.
    writers: tuple[tuple[int, int], ...]


FULL = Plan(
    sizes=(100, 1_000, 5_000),
    rounds=5,
    ms=1_000,
    opening=1_000,
    memory=5_000,
    idle=10_000,
    idle_seconds=50,
    storm=10_000,
    writers=((1, 1), (64, 1), (64, 16), (1_000, 1)),
)
QUICK = Plan(
    sizes=(100, 1_000),
    rounds=3,
    ms=700,
    opening=300,
    memory=3_000,
    idle=2_000,
    idle_seconds=26,
    storm=1_000,
    writers=((1, 1), (64, 1), (64, 16)),
)


@dataclass
class Subject:
    """A contender that runs, and its generator."""

    contender: Contender
    running: Running
    load: Load
    # CPU seconds of the server while the connections were opened, and how many they were.
    opening: float = 0.0
    connections: int = 0

    @property
    def key(self) -> str:
        return self.contender.key

    def spent(self, act: Callable[[], Answer]) -> tuple[Answer, float]:
        """What `act` answers, and the CPU seconds of the server meanwhile."""
        before = cpu_seconds(self.running.pids)
        answer = act()
        return answer, cpu_seconds(self.running.pids) - before

    def memory(self) -> int:
        """KiB."""
        return memory_kib(self.running.pids)


@dataclass
class Stage:
    """Where contenders appear; those who fail are noted and the others go on."""

    work: Path
    plan: Plan
    contenders: Sequence[Contender]
    by_name: bool = False
    # Why a contender is not in a measure, by (key, measure).
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Progress, on standard error."""
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"[{minutes:2}:{seconds:02}] {text}", file=sys.stderr, flush=True)

    def give_up(self, key: str, measure: str, reason: object) -> None:
        """This contender is not in this measure."""
        text = str(reason).strip() or type(reason).__name__
        self.failed[key, measure] = text
        self.say(f"{key} is left out of {measure}: {text}")

    def those(self, keys: Sequence[str]) -> list[Contender]:
        """Those of this run among these, in its order; all, if they were chosen by name."""
        return [one for one in self.contenders if self.by_name or one.key in keys]

    @contextlib.contextmanager
    def running(
        self,
        measure: str,
        contenders: Sequence[Contender],
        members: int,
        *,
        writers: bool = False,
        opened: int | None = None,
    ) -> Iterator[list[Subject]]:
        """Those of them that can be started, each with its connections open, side by side.

        `opened` connections: all members, unless it says otherwise. `writers`: they go only as
        far as they must to write.
        """
        with contextlib.ExitStack() as stack:
            subjects = []
            for contender in contenders:
                if members > contender.most:
                    reason = f"it is measured with rooms of {contender.most:,} at most"
                    self.give_up(contender.key, measure, reason)
                    continue
                self.say(f"{measure}: starting {contender.key}")
                try:
                    # Its own stack, so that what had begun of one that fails ends at once.
                    with contextlib.ExitStack() as own:
                        subject = self._started(own, contender, members, writers)
                        _open(subject, members if opened is None else opened)
                        stack.push(own.pop_all())
                except TROUBLE as trouble:
                    self.give_up(contender.key, measure, trouble)
                else:
                    subjects.append(subject)
            time.sleep(SETTLE)
            yield subjects

    def _started(
        self, stack: contextlib.ExitStack, contender: Contender, members: int, writers: bool
    ) -> Subject:
        running = stack.enter_context(contender.running(self.work, members=members))
        self.versions[contender.key] = running.versions
        steps = running.writer_steps if writers else None
        generator = load(self.work, running, contender.key, most=members, steps=steps)
        return Subject(contender, running, stack.enter_context(generator))

    def in_turn(
        self, measure: str, subjects: list[Subject], act: Callable[[Subject], Row]
    ) -> list[Row]:
        """A round: every subject once, in their order. Who fails is out for good."""
        rows = []
        for subject in list(subjects):
            try:
                rows.append({"key": subject.key, **act(subject)})
            except TROUBLE as trouble:
                subjects.remove(subject)
                self.give_up(subject.key, measure, trouble)
        return rows


def _open(subject: Subject, connections: int) -> None:
    if connections:
        _, subject.opening = subject.spent(lambda: subject.load.open(connections))
        subject.connections = connections


def median(rows: Sequence[Row], name: str) -> float | None:
    """The median of what the rows have under this name; None where none has."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return statistics.median(values) if values else None


def with_ratios(rows: list[Row], name: str, limit: str = "limit") -> list[Row]:
    """A round's rows with `ratio`: the figure by that of the limit in the same round."""
    base = next((row[name] for row in rows if row["key"] == limit), None)
    return [{**row, "ratio": row[name] / base if base and row[name] else None} for row in rows]
