"""What each server process holds at a moment: from /proc, and from its own /metrics."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ..server import Server

_WANTED = re.compile(r"^tertulia_(tasks|connections)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


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
    process = Path(f"/proc/{server.process.pid}")
    told = _told(server)
    try:
        status = (process / "status").read_text()
        # What is private, the kernel counts page by page.
        smaps = (process / "smaps_rollup").read_text()
        files = len(list((process / "fd").iterdir()))
        return Sample(
            t,
            server.process.pid,
            rss=_kib(status, "VmRSS"),
            uss=_kib(smaps, "Private_Clean") + _kib(smaps, "Private_Dirty"),
            files=files,
            threads=_number(status, "Threads"),
            tasks=told.get("tasks"),
            connections=told.get("connections"),
        )
    except (OSError, ValueError):
        return None  # it has ended meanwhile


def _told(server: Server) -> dict[str, int]:
    found: dict[str, int] = {}
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        for name, value in _WANTED.findall(text):
            found[name] = found.get(name, 0) + int(float(value))
    return found


def _number(text: str, name: str) -> int:
    match = re.search(rf"^{name}:\s+([0-9]+)", text, re.MULTILINE)
    if match is None:
        raise ValueError(f"no {name}")
    return int(match[1])


def _kib(text: str, name: str) -> int:
    return _number(text, name) * 1024
