"""Two servers on Node: the package `ws` by itself, and Socket.IO.

Each is a few lines of JavaScript in a folder beside this file, installed by `npm ci` from its lock
file. The native add-ons that their documentation names as options are left out: they unmask and
check what a client sends, and do nothing for what a server sends out. NODE_ENV is `production`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import free_port

from .base import Contender, Running
from .children import HERE, Served, carried_out, install_once, scratch, serving

OLDEST = 18  # as for the tests; the two packages ask for less


class Node(Contender):
    """`server.js PORT` in a folder of its own, and the package that it is about."""

    package = ""
    folder = ""

    @property
    def source(self) -> Path:
        return HERE / self.folder

    def missing(self) -> str | None:
        lacking = [name for name in ("node", "npm") if not shutil.which(name)]
        if lacking:
            return (
                f"{' and '.join(lacking)} not installed: sudo apt-get install nodejs npm, "
                f"or Node {OLDEST} or later from nodejs.org"
            )
        if int(_node_version().partition(".")[0]) < OLDEST:
            return f"Node {_node_version()} is too old: install {OLDEST} or later"
        return None

    def prepare(self, work: Path) -> None:
        installed = work / self.folder

        def install() -> None:
            for name in ("package.json", "package-lock.json", "server.js"):
                shutil.copy(self.source / name, installed)
            options = ("--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
            carried_out(("npm", "ci", *options), installed)

        install_once(installed, sorted(self.source.glob("*.js*")), install)

    def described(self, served: Served, versions: dict[str, str]) -> Running:
        """How a client talks to it."""
        raise NotImplementedError

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        installed = work / self.folder
        package = installed / "node_modules" / self.package / "package.json"
        version = json.loads(package.read_text())["version"]
        versions = {"Node": _node_version(), self.package: version}
        port = free_port()
        with scratch(work, self.key) as folder:
            command = ("node", installed / "server.js", str(port))
            env = {"NODE_ENV": "production"}
            with serving(command, port, folder / "log", env=env) as served:
                yield self.described(served, versions)


class Ws(Node):
    """The broadcast of the README of `ws`: a loop over all clients."""

    key = "node-ws"
    name = "Node ws"
    package = "ws"
    folder = "node_ws"
    remarks = "keeps nothing; compression off, its default"

    def described(self, served: Served, versions: dict[str, str]) -> Running:
        return Running(
            port=served.port,
            path="/",
            pids=(served.pid,),
            message="%S %P",
            versions=versions,
            kill=served.kill,
        )


class SocketIO(Node):
    """`io.to(room).emit(…)`, over WebSocket from the first request on."""

    key = "node-socketio"
    name = "Socket.IO on Node"
    package = "socket.io"
    folder = "node_socketio"
    remarks = "keeps nothing; WebSocket only, compression off, its default"

    def described(self, served: Served, versions: dict[str, str]) -> Running:
        return socketio_running(served, versions)


def socketio_running(served: Served, versions: dict[str, str]) -> Running:
    """Socket.IO 5 on Engine.IO 4, spoken by hand: the transport opens, the namespace is entered.

    Both servers put a connection into the room before they answer the latter.
    """
    return Running(
        port=served.port,
        path="/socket.io/?EIO=4&transport=websocket",
        pids=(served.pid,),
        message='42["message","%S %P"]',
        steps=(("", '0{"sid"'), ("40", '40{"sid"')),
        engine_io=True,
        versions=versions,
        kill=served.kill,
    )


def _node_version() -> str:
    return carried_out(("node", "--version")).removeprefix("v")


CONTENDERS = [Ws(), SocketIO()]
