"""uWebSockets (C++) by way of Python's socketify, which brings it compiled.

Its publishing joins all that a turn of the loop has for a connection into one write. Of who does
not read it keeps 64 KiB, its default, and throws away what is over that.

It has a virtual environment of its own, installed from `uwebsockets/requirements.lock`; that is
made, in its folder, by

    uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock
"""

from __future__ import annotations

import contextlib
import ctypes.util
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import free_port

from .base import Contender, Running
from .children import HERE, scratch, serving
from .environments import install, lacking, versions_in

SOURCE = HERE / "uwebsockets"


class UWebSockets(Contender):
    """`app.publish(topic, …)`."""

    key = "uwebsockets"
    name = "uWebSockets (socketify)"
    remarks = "keeps nothing; compression off; drops what is over 64 KiB for who does not read"

    def missing(self) -> str | None:
        if sys.platform == "linux" and platform.machine() != "x86_64":
            return f"socketify brings nothing for Linux on {platform.machine()}"
        if not ctypes.util.find_library("uv"):
            return "libuv is not installed: sudo apt-get install libuv1"
        return lacking()

    def prepare(self, work: Path) -> None:
        install(work / "uwebsockets", SOURCE / "requirements.lock")

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        python = work / "uwebsockets" / "bin" / "python"
        port = free_port()
        with scratch(work, self.key) as folder:
            command = (python, SOURCE / "server.py", str(port))
            with serving(command, port, folder / "log") as served:
                yield Running(
                    port=port,
                    path="/",
                    pids=(served.pid,),
                    message="%S %P",
                    versions=versions_in(python, "socketify"),
                    kill=served.kill,
                )


CONTENDERS = [UWebSockets()]
