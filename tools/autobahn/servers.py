"""The servers under test: each a process of its own that serves `echo.py` on the loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# What is shipped, and the suite's own environment with the servers that are not.
SHIPPED = ROOT / ".venv/bin/python"
EXTRA = ROOT / ".venv-autobahn/bin/python"

# Bytes. The suite's largest message has 16 MiB; what the product allows is 128 KiB.
MAX_MESSAGE = 2**25
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class CannotStart(Exception):
    """A server that does not begin to serve; the text has its last words."""


@dataclass(frozen=True)
class Server:
    """`packages` are those whose versions belong to a result; `{port}` is put into `command`.

    `compresses`: it agrees to compression and cannot be told not to.
    """

    name: str
    python: Path
    command: tuple[str, ...]
    packages: tuple[str, ...]
    path: str = "/"
    compresses: bool = False


def _uvicorn(name: str, python: Path, ws: str, package: str) -> Server:
    options = f"--ws-max-size {MAX_MESSAGE} --ws-per-message-deflate false --log-level warning"
    command = f"-m uvicorn echo:application --port {{port}} --ws {ws} {options}"
    return Server(name, python, tuple(command.split()), ("uvicorn", package))


_OURS = (str(HERE / "serve_ours.py"), "{port}", str(MAX_MESSAGE))

SERVERS = {
    server.name: server
    for server in (
        Server("ours", SHIPPED, _OURS, ("tertulia", "uvicorn")),
        Server("ours-direct", SHIPPED, _OURS, ("tertulia", "uvicorn"), "/direct"),
        _uvicorn("uvicorn-websockets", SHIPPED, "websockets", "websockets"),
        _uvicorn("uvicorn-websockets-sansio", SHIPPED, "websockets-sansio", "websockets"),
        _uvicorn("uvicorn-wsproto", EXTRA, "wsproto", "wsproto"),
        Server(
            "daphne",
            SHIPPED,
            tuple(
                "-m daphne -v 0 -b 127.0.0.1 -p {port} "
                f"--websocket-max-message-size {MAX_MESSAGE} "
                f"--websocket-max-frame-size {MAX_MESSAGE} echo:application".split()
            ),
            ("daphne", "autobahn"),
        ),
        Server(
            "hypercorn",
            EXTRA,
            ("-m", "hypercorn", "-b", "127.0.0.1:{port}", "echo:application"),
            ("hypercorn", "wsproto"),
            compresses=True,
        ),
    )
}


@contextmanager
def serving(server: Server) -> Iterator[int]:
    """The port on which it serves. Raises CannotStart."""
    port = _free_port()
    command = [part.format(port=port) for part in server.command]
    # Nothing of the caller's: a variable of his must not change what is tested.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(HERE)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - the commands above
            [str(server.python), *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C is for us: we end it.
            start_new_session=True,
        )
        try:
            if not _answers(process, port):
                log.seek(0)
                said = log.read().decode(errors="replace").strip()
                raise CannotStart(f"{server.name} did not start\n{said[-2000:]}")
            yield port
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def versions(server: Server) -> str:
    """`uvicorn 0.54.0, websockets 17.4`, as installed where the server runs."""
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    command = [str(server.python), "-c", code, *server.packages]
    run = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return ", ".join(map(" ".join, zip(server.packages, run.stdout.split(), strict=True)))
