"""The processes and installations of the peers: started on free ports, ended by their own pids."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tertulia.testing.processes import Process, alive, free_port, listening

HERE = Path(__file__).parent
START_SECONDS = 60.0
# What a program needs to run at all, and what tells installers where packages come from.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "USER")
_INSTALLERS = ("PIP_", "UV_", "NPM_", "npm_", "SSL_", "HTTP_", "HTTPS_", "NODE_EXTRA_")


class Failed(Exception):
    """A peer could not be installed or started; the end of what it wrote is in the message."""


def environment(**more: str) -> dict[str, str]:
    """Nothing that might configure a server leaks in from the caller's."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **more}


@contextlib.contextmanager
def scratch(work: Path, key: str) -> Iterator[Path]:
    """An empty folder in `work` for one run, removed behind it, or by a later one if we die."""
    work.mkdir(parents=True, exist_ok=True)
    for left in work.glob("run-*"):
        if not alive(int(left.name.split("-")[1])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"run-{os.getpid()}-{key}-", dir=work) as folder:
        yield Path(folder)


class Served:
    """A server that listens on `port` of 127.0.0.1, and can be killed and started again there.

    It also ends, on Linux, when this process is killed.
    """

    def __init__(
        self, command: Sequence[str | Path], port: int, log: Path, env: Mapping[str, str]
    ) -> None:
        self.command = command
        self.port = port
        self.log = log
        self.env = environment(**env)
        self.process = self._started()

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> Callable[[], tuple[int, ...]]:
        """SIGKILL to it and all below it; what is returned starts it again and gives its pid."""
        self.process.kill9()
        return self._again

    def _again(self) -> tuple[int, ...]:
        self.process = self._started()
        self.wait()
        return (self.pid,)

    def _started(self) -> Process:
        words = [sys.executable, HERE / "tied.py", os.getpid(), *self.command]
        return Process([str(word) for word in words], self.log, env=self.env)

    def wait(self) -> None:
        """Returns when it listens; Failed if it ends, or not within START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        while not listening(self.port):
            if not self.process.running or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-2000:]
                raise Failed(f"{self.command[0]} does not listen on {self.port}:\n{said}")
            time.sleep(0.05)


@contextlib.contextmanager
def serving(
    command: Sequence[str | Path],
    port: int,
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Start `command`, which is to listen on `port`; it is ended with the block."""
    served = Served(command, port, log, env or {})
    try:
        served.wait()
        yield served
    finally:
        # 3 s: some servers wait for their clients to leave, and there may be thousands.
        served.process.stop(seconds=3)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Served]:
    """A private Redis that writes nothing to disk."""
    port = free_port()
    options = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder)
    command = ("redis-server", "--port", str(port), *options)
    with serving(command, port, folder / "redis.log") as served:
        yield served


def install_once(folder: Path, sources: Sequence[Path], install: Callable[[], None]) -> None:
    """Call `install` unless `folder` was filled from files with the same contents.

    An installation that was broken off counts for nothing, and is begun anew.
    """
    made_from = hashlib.sha256(f"{sys.version} {folder}".encode())
    for source in sources:
        made_from.update(source.read_bytes())
    done = folder / ".installed"
    if done.exists() and done.read_text() == made_from.hexdigest():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install()
    done.write_text(made_from.hexdigest())


def carried_out(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """What an installer or a `--version` says, on either output; Failed if it does not succeed."""
    installers = {name: value for name, value in os.environ.items() if _of_installer(name)}
    done = subprocess.run(  # noqa: S603 - the commands are the benchmark's own
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**installers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise Failed(f"{command[0]} failed ({done.returncode}):\n{done.stdout[-2000:]}")
    return done.stdout.strip()


def _of_installer(name: str) -> bool:
    return name.upper().startswith(tuple(map(str.upper, _INSTALLERS))) or name == "NO_PROXY"
