"""Child processes that end when they should: ports, logs, process trees."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on at this moment.

    Below the range from which the kernel takes the near ends of connections (from 32,768 on), so
    that none of them is on it when a server starts, or starts again, there.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(
    condition: Callable[[], object], seconds: float, what: str, pause: float = 0.05
) -> None:
    """Poll until `condition()` is true; AssertionError naming `what` when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(pause)


def listening(port: int) -> bool:
    """True if something accepts connections on that port of the loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children(pid: int) -> list[int]:
    """The direct children of a process, oldest first."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in tasks.read_text().split()]
    return sorted(set(found))


def descendants(pid: int) -> Iterator[int]:
    """Every process below this one."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def alive(pid: int) -> bool:
    """True while the process runs; a zombie counts as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


class Process:
    """One child in a session of its own, its output going to a log file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def running(self) -> bool:
        return self.popen.poll() is None

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill9(self) -> None:
        """SIGKILL to the process and all below it, at once; returns when they are gone."""
        tree = [self.pid, *descendants(self.pid)]
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.popen.wait(10)
        wait_for(lambda: not any(alive(pid) for pid in tree), 10, "killed processes gone")

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
        """Ask it to end, insist after `seconds`; the exit status."""
        if self.running:
            self.send(number)
            try:
                self.popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill9()
        return int(self.popen.returncode)
