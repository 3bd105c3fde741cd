"""python-socketio, as an ASGI application under uvicorn with uvloop and httptools.

It has a virtual environment of its own, installed from `socketio_python/requirements.lock`. That
is made, in its folder, by

    uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links -c ../../../../requirements.lock \
        -o requirements.lock
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import free_port

from .base import Contender, Running
from .children import HERE, scratch, serving
from .environments import install, lacking, versions_in
from .node import socketio_running

SOURCE = HERE / "socketio_python"


class PythonSocketIO(Contender):
    """`AsyncServer.emit(…, room=…)`."""

    key = "python-socketio"
    name = "python-socketio, uvicorn"
    remarks = "keeps nothing; WebSocket only"

    def missing(self) -> str | None:
        return lacking()

    def prepare(self, work: Path) -> None:
        install(work / "socketio_python", SOURCE / "requirements.lock")

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        python = work / "socketio_python" / "bin" / "python"
        versions = versions_in(python, "python-socketio", "uvicorn", "uvloop", "websockets")
        port = free_port()
        with scratch(work, self.key) as folder:
            command = (
                *(python, "-m", "uvicorn", "server:app", "--app-dir", SOURCE),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--loop", "uvloop", "--http", "httptools"),
                *("--log-level", "warning", "--no-access-log"),
            )
            with serving(command, port, folder / "log") as served:
                yield socketio_running(served, versions)


CONTENDERS = [PythonSocketIO()]
