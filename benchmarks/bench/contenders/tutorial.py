"""`examples/tutorial`: the chat of the usual Channels tutorials, run by its own command.

Everything is as the example has it: its consumers, its layers with their default capacity of 100
messages a channel, uvicorn and daphne with their default options. One process, and a private
Redis without persistence for the two Redis layers, whose CPU and memory are counted with it.

Under uvicorn the members are in `ws/<room>`, whose consumer is the asynchronous one that the
Channels tutorial ends with: of the two it is the cheaper. Under daphne they are where a page of
the example opens its socket, at `ws/chat/<room>/`, with the synchronous consumer of that
tutorial's second part.
Nothing is kept (`--no-store`), but for the one whose messages are in the database before they are
delivered.

Rooms are measured up to where a message still arrives within a few seconds. The in-memory layer
looks at every channel of the process for every copy: 12 s of CPU a message with 5,000 members,
where Redis makes it 2.5 s.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from tertulia.testing.processes import free_port

from .base import Contender, Running
from .children import carried_out, redis_server, scratch, serving

RUN = Path(__file__).parents[3] / "examples" / "tutorial" / "run"


class Tutorial(Contender):
    """One server and one layer of `examples/tutorial/run`."""

    def __init__(
        self,
        key: str,
        name: str,
        *,
        server: str = "uvicorn",
        layer: str = "memory",
        path: str = "/ws/lobby",
        stored: bool = False,
        most: int = 2_000,
        remarks: str = "keeps nothing",
    ) -> None:
        self.key = key
        self.name = name
        self.server = server
        self.layer = layer
        self.path = path
        self.durable = stored
        self.most = most
        self.remarks = remarks

    @property
    def over_redis(self) -> bool:
        return self.layer != "memory"

    def missing(self) -> str | None:
        if self.over_redis and not shutil.which("redis-server"):
            return "redis-server is not installed: sudo apt-get install redis-server"
        return None

    @contextlib.contextmanager
    def running(self, work: Path, *, members: int) -> Iterator[Running]:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(scratch(work, self.key))
            port = free_port()
            command = [str(RUN), "--server", self.server, "--port", str(port)]
            command += ["--layer", self.layer, "--data", str(folder / "data")]
            brokers: tuple[int, ...] = ()
            if self.over_redis:
                redis = stack.enter_context(redis_server(folder))
                brokers = (redis.pid,)
                command += ["--redis", f"redis://127.0.0.1:{redis.port}"]
            if not self.durable:
                command.append("--no-store")
            served = stack.enter_context(serving(command, port, folder / "server.log"))

            def kill() -> Callable[[], tuple[int, ...]]:
                again = served.kill()
                return lambda: again() + brokers

            yield Running(
                port=port,
                path=self.path,
                pids=(served.pid, *brokers),
                message='{"message":"%S %P"}',
                # AllowedHostsOriginValidator admits nobody without it.
                headers=(f"Origin: http://127.0.0.1:{port}",),
                versions=self._versions(),
                # Redis, where there is one, goes on.
                kill=kill,
            )

    def _versions(self) -> dict[str, str]:
        packages = ["Django", "channels", self.server]
        found = {"Python": platform.python_version(), **{name: version(name) for name in packages}}
        if self.over_redis:
            found |= {"channels-redis": version("channels-redis"), "redis-py": version("redis")}
            # "Redis server v=7.0.15 sha=…"
            said = carried_out(("redis-server", "--version"))
            found["Redis"] = said.partition("v=")[2].partition(" ")[0]
        return found


CONTENDERS = [
    Tutorial("tutorial-memory", "Channels tutorial, in-memory layer"),
    Tutorial("tutorial-core", "Channels tutorial, Redis core layer", layer="core", most=5_000),
    Tutorial(
        "tutorial-pubsub", "Channels tutorial, Redis pub/sub layer", layer="pubsub", most=10_000
    ),
    Tutorial(
        "tutorial-daphne",
        "Channels tutorial as written: daphne, Redis core layer",
        server="daphne",
        layer="core",
        path="/ws/chat/lobby/",
        remarks="keeps nothing; synchronous consumer",
    ),
    Tutorial(
        "tutorial-stored",
        "Channels tutorial, in-memory layer, messages kept",
        stored=True,
        remarks="SQLite FULL; kept before it is delivered, no answer to the sender",
    ),
]
