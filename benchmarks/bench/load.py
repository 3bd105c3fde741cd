"""The load generator (`load.c`, whose head is the manual) as an object."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .build import built
from .contenders.base import Running, Steps

# As the contenders are promised.
ADDRESSES = 64
# Connections whose opening is under way at once, but for a storm.
AT_ONCE = 64

Answer = dict[str, Any]


class LoadFailed(Exception):
    """The generator ended, or its connections did."""


class Load:
    """One generator with its connections to one server."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log

    def ask(self, command: str) -> Answer:
        """One command, and its answer."""
        assert self.process.stdin
        assert self.process.stdout
        try:
            print(command, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self.process.wait(5)
            raise LoadFailed(f"{command!r}: the generator ended ({status}): {self.said()}")
        answer: Answer = json.loads(line)
        return answer

    def open(self, connections: int, at_once: int = AT_ONCE, *, patient: bool = False) -> Answer:
        """Until so many are open in all; raises LoadFailed when one cannot be opened.

        `patient`: who is refused comes again after a second, as clients do.
        """
        answer = self.ask(f"open {connections} {at_once} {int(patient)}")
        if answer["failed"] or answer["open"] != connections:
            raise LoadFailed(f"{answer['failed']} connections failed: {self.said()}")
        return answer

    def send(self, *, count: int, ms: int, window: int, senders: int) -> Answer:
        """Closed loop; see `load.c`."""
        return self.ask(f"send {count} {ms} {window} {senders}")

    def said(self) -> str:
        """What it complained of."""
        return self.log.read_text(errors="replace")[-1000:].strip() or "no reason given"


@contextlib.contextmanager
def load(
    work: Path, running: Running, name: str, *, most: int, steps: Steps | None = None
) -> Iterator[Load]:
    """A generator for at most so many connections, which go through `steps`, or the server's."""
    own = f"load-{name}-{os.getpid()}"
    log, values = work / f"{own}.log", work / f"{own}.values"
    words: list[str] = ["--port", str(running.port), "--path", running.path]
    words += ["--message", running.message, "--copies", str(running.copies)]
    words += ["--addresses", str(ADDRESSES), "--most", str(most)]
    for header in running.headers:
        words += ["--header", header]
    for say, wait in running.steps if steps is None else steps:
        words += ["--step", say, wait]
    if running.ack:
        words += ["--ack", running.ack]
    if running.engine_io:
        words.append("--engine-io")
    if running.values:
        values.write_text("".join(f"{value}\n" for value in running.values))
        words += ["--values", str(values)]
    with log.open("w") as output:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [built(work, "load"), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        yield Load(process, log)
    finally:
        assert process.stdin
        assert process.stdout
        # At the end of its input it ends, too.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.unlink(missing_ok=True)
        values.unlink(missing_ok=True)
