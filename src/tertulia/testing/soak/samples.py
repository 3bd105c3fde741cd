"""What each server process holds at a moment: from /proc, and from its own /metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .. import memory
from ..metrics import Metrics
from ..server import Server


@dataclass(frozen=True)
class Sample:
    """`t`: monotonic seconds. `rss` and `uss` (memory that is nobody else's) are bytes.

    What the process itself has to tell is None where it did not answer.
    """

    t: float
    pid: int
    rss: int
    uss: int
    files: int
    threads: int
    tasks: int | None
    connections: int | None

    @property
    def other_files(self) -> int | None:
        """Descriptors that are not explained by open sockets."""
        return None if self.connections is None else self.files - self.connections


def take(server: Server, t: float) -> Sample | None:
    """Of a server of one process; None where it is not running."""
    if server.process is None or not server.process.running:
        return None
    pid = server.process.pid
    try:
        told: Metrics | None = Metrics.of(server, seconds=5)
    except OSError:
        told = None
    rss, uss = memory.resident(pid), memory.private(pid)
    threads = _threads(pid)
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        files = 0
    if not (rss and uss and threads and files):
        return None  # it has ended meanwhile
    return Sample(
        *(t, pid, rss, uss, files, threads),
        tasks=None if told is None else int(told("tasks")),
        connections=None if told is None else int(told("connections")),
    )


def _threads(pid: int) -> int:
    try:
        found = re.search(r"^Threads:\s+([0-9]+)", Path(f"/proc/{pid}/status").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0
