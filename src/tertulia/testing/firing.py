"""Failpoints at work in a process: chances are drawn, and actions carried out."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .failpoints import Rule, WrongFailpoint, parse
from .points import Gone, find

STARTS = "failpoint-starts"


class Failed(RuntimeError):
    """What `raise` raises, where nothing of the database's own fits better."""


class Firing:
    """One rule in this process; used from any thread."""

    def __init__(self, rule: Rule, drawn: random.Random) -> None:
        self.rule = rule
        self.random = drawn
        self.argument = rule.argument
        self.error: type[Exception] = Failed
        self._lock = threading.Lock()

    def _due(self) -> bool:
        """Whether it is its turn."""
        rule = self.rule
        with self._lock:
            rule.visits += 1
            due = rule.visits > rule.skipped and (rule.most is None or rule.fired < rule.most)
            if not due or self.random.random() >= rule.probability:
                return False
            rule.fired += 1
            if rule.fired == 1 or rule.action in ("kill", "exit"):
                # To the descriptor: nothing that is buffered outlives a SIGKILL.
                os.write(2, f"failpoint {rule.point.name}: {rule.action}\n".encode())
            return True

    def act(self) -> str | None:
        """Do what is due, or say what the caller has to do: drop, delay or reorder.

        A sleep holds up the thread that came by; in the loop that is every socket.
        """
        if not self._due():
            return None
        match self.rule.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(1)
            case "raise":
                raise self.error(f"failpoint {self.rule.point.name}")
            case "sleep":
                time.sleep(self.argument)
            case told:
                return told
        return None

    async def act_in_loop(self) -> str | None:
        """The same for a coroutine: a sleep holds up nobody else."""
        if self.rule.action != "sleep":
            return self.act()
        if self._due():
            await asyncio.sleep(self.argument)
        return None


def check(text: str) -> None:
    """Raises WrongFailpoint unless all these can be put in. Needs Django's apps."""
    try:
        for rule in parse(text):
            find(rule.point)
    except Gone as error:
        raise WrongFailpoint(str(error)) from None


def install(text: str, seed: str | None, folder: Path) -> Sequence[Firing]:
    """Replace the functions, before the server makes its objects. Raises WrongFailpoint.

    `folder` is the data folder, where the processes are counted for the seed.
    """
    check(text)
    start = _count(folder / STARTS) if seed else 0
    made = []
    for rule in parse(text):
        holder, honest = find(rule.point)
        firing = Firing(rule, chances(seed, rule.point.name, start))
        setattr(holder, rule.point.target[2], rule.point.put(honest, firing))
        made.append(firing)
    if made:
        names = ", ".join(f"{f.rule.point.name}={f.rule.action}" for f in made)
        print(f"failpoints: {names}", file=sys.stderr, flush=True)
    return made


def chances(seed: str | None, name: str, start: int) -> random.Random:
    """What a point draws from: the same for the same seed and the same start of a process."""
    return random.Random(f"{seed}:{name}:{start}") if seed else random.Random()


def _count(path: Path) -> int:
    """Which start of a process this is in the folder, from 1 on."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
    return number
