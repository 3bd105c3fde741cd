"""CPU time and memory of a server's processes, from /proc; Linux only."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from pathlib import Path


def tree(pids: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    found: dict[int, None] = {}
    for pid in pids:
        for one in _below(pid):
            found[one] = None
    return list(found)


def _below(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _below(int(child))


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time, user and system, of all threads of the living processes of the tree.

    The clock of a process (clock_getcpuclockid(3)) is the sum that utime + stime in
    /proc/PID/stat show in ticks of 10 ms, exact to the nanosecond.
    """
    total = 0.0
    for pid in tree(pids):
        with contextlib.suppress(OSError):
            # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel's posix-timers.h
            total += time.clock_gettime(~pid << 3 | 2)
    return total


def memory_kib(pids: Iterable[int]) -> int:
    """Proportional set size of the tree: pages that several processes share count once."""
    total = 0
    for pid in tree(pids):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total
