"""Faults played beside each other, each by a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from . import play
from .outcome import Outcome
from .registry import Fault, Length, Mode
from .stage import Say, Stage

# Seconds between two lines of progress.
EVERY: dict[Length, float] = {"short": 5, "quick": 5, "full": 15}

Chosen = tuple[str, Mode]


@dataclass
class _Job:
    """A fault under way; its process writes the outcome into `reading`."""

    chosen: Chosen
    process: BaseProcess
    reading: Connection

    def outcome(self, length: Length) -> Outcome:
        """What it sent; one that has failed if it ended without a word."""
        with suppress(EOFError):
            outcome: Outcome = self.reading.recv()
            return outcome
        self.process.join()
        why = f"its process ended by itself, with status {self.process.exitcode}"
        return Outcome(*self.chosen, length, violations=[why])


class Jobs:
    """Plays faults, `count` at a time; iterating gives each outcome as it comes.

    Those whose figures another load would spoil (`Fault.alone`) come last, one after the other.
    """

    def __init__(
        self, faults: dict[str, Fault], chosen: Sequence[Chosen], length: Length, count: int
    ) -> None:
        self.faults = faults
        self.length = length
        self.count = count
        # The longest first, so that all end at about the same time; one at a time, as they stand.
        self.waiting = sorted(chosen, key=self._turn) if count > 1 else list(chosen)
        self.running: list[_Job] = []

    def __iter__(self) -> Iterator[Outcome]:
        while self.waiting or self.running:
            while self.waiting and self._room():
                self._start(self.waiting.pop(0))
            ready = wait([job.reading for job in self.running])
            for job in [job for job in self.running if job.reading in ready]:
                yield self._ended(job)

    def interrupt(self) -> list[Outcome]:
        """Ends all that is under way, their servers too; what they came to."""
        for job in self.running:
            if job.process.pid:
                os.kill(job.process.pid, signal.SIGINT)
        return [self._ended(job) for job in list(self.running)]

    def _turn(self, chosen: Chosen) -> tuple[bool, float]:
        fault = self.faults[chosen[0]]
        return fault.alone, -fault.takes

    def _room(self) -> bool:
        if not self.running:
            return True
        beside = [*(job.chosen for job in self.running), self.waiting[0]]
        return len(beside) <= self.count and not any(self.faults[name].alone for name, _ in beside)

    def _start(self, chosen: Chosen) -> None:
        # Forked, since a fault may be entered by whoever calls the command, and not be found in
        # a module; nothing runs beside this thread here.
        context = multiprocessing.get_context("fork")
        reading, writing = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(*chosen, self.length, writing), name=chosen[0]
        )
        process.start()
        # So that the end of the process is the end of the pipe.
        writing.close()
        self.running.append(_Job(chosen, process, reading))

    def _ended(self, job: _Job) -> Outcome:
        outcome = job.outcome(self.length)
        job.process.join()
        job.reading.close()
        self.running.remove(job)
        return outcome


def _work(name: str, mode: Mode, length: Length, writing: Connection) -> None:
    # Ctrl-C reaches a whole group: this process is told by its parent, once.
    os.setpgid(0, 0)
    # A shell that starts us in the background leaves SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stages: list[Stage] = []
    with suppress(KeyboardInterrupt):
        asyncio.run(_one(name, mode, length, stages))
    Stage.end_of_process()
    outcome = stages[0].outcome if stages else Outcome(name, mode, length, stopped=True)
    writing.send(outcome)


async def _one(name: str, mode: Mode, length: Length, stages: list[Stage]) -> None:
    say = told(name, mode)
    ticking = asyncio.create_task(_tick(stages, EVERY[length], say))
    try:
        await play(name, mode, length=length, say=say, watch=stages)
    finally:
        ticking.cancel()


async def _tick(stages: list[Stage], every: float, say: Say) -> None:
    """A line of progress now and then; the stage is there before the first."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(every)
        stage = stages[0]
        trials = f"trial {stage.outcome.trials:,}" + (f" of {stage.due:,}" if stage.due else "")
        seconds = time.monotonic() - began
        say(f"{trials}, {stage.acknowledged:,} acknowledged, {seconds:.0f} s")


def told(name: str, mode: Mode) -> Say:
    """Says something of a fault, in a line that says when."""

    def say(text: str) -> None:
        # In one piece, since several processes write there.
        sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {name} ({mode})  {text}\n")
        sys.stderr.flush()

    return say
