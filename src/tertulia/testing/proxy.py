"""A TCP proxy on loopback that breaks what passes it, in the terms of toxiproxy.

    async with Proxy(5432) as proxy:              # to 127.0.0.1:5432, from proxy.port
        slow = proxy.add("latency", latency=100, jitter=20)
        ...
        proxy.remove(slow)

`ThreadedProxy` is the same for tests without an event loop, and `python -m tertulia.testing proxy`
for the terminal. The toxics, and what can be said of each, are in `toxics.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, Self, TypeVar

from .links import Connection
from .toxics import Toxic, make

LOOPBACK = "127.0.0.1"
Address = tuple[str, int]
Result = TypeVar("Result")


class Proxy:
    """Listens while it is entered. Used on one event loop.

    `upstream` is where connections go: a port of this machine, or (host, port). Without `seed` the
    toxics' chances differ from run to run.
    """

    def __init__(
        self,
        upstream: int | Address,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        seed: int | None = None,
    ) -> None:
        self.upstream = (LOOPBACK, upstream) if isinstance(upstream, int) else upstream
        self.host = host
        self.port = port
        self.toxics: list[Toxic] = []
        self.connections: set[Connection] = set()
        self._random = Random(seed)
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        for toxic in self.toxics:
            toxic.gone.set()

    # Up and down

    async def up(self) -> None:
        """Listen: on the same port each time."""
        if self._listener is not None:
            return
        self._listener = socket.create_server((self.host, self.port), backlog=1_024)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(self._listener))

    async def down(self) -> None:
        """Toxiproxy's `down`: connections are closed, new ones refused, until `up`."""
        if self._listener is None or self._accepting is None:
            return
        self._accepting.cancel()
        await asyncio.gather(self._accepting, return_exceptions=True)
        self._listener.close()
        self._listener = None
        for connection in list(self.connections):
            connection.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def reset_all(self) -> int:
        """Reset the connections that there are, and none that comes later; how many."""
        open_now = list(self.connections)
        for connection in open_now:
            connection.reset()
        return len(open_now)

    # Toxics

    def add(self, kind: str, **attributes: Any) -> Toxic:
        """Put a toxic on all connections, those that run too. Raises ValueError.

        Several are passed through in the order in which they were added.
        """
        toxic = make(kind, self._random, **attributes)
        if any(toxic.name == other.name for other in self.toxics):
            raise ValueError(f"there is a toxic {toxic.name} already: give this one another name")
        self.toxics.append(toxic)
        for connection in list(self.connections):
            connection.add(toxic)
        return toxic

    def remove(self, toxic: Toxic | str) -> None:
        """Take one away, by itself or by its name. What it held back goes on."""
        found = next((t for t in self.toxics if toxic in (t, t.name)), None)
        if found is None:
            raise ValueError(f"there is no toxic {toxic}")
        self.toxics.remove(found)
        for connection in list(self.connections):
            connection.remove(found)
        found.gone.set()

    def clear(self) -> None:
        """Take all away."""
        for toxic in list(self.toxics):
            self.remove(toxic)

    def half_open(self) -> tuple[Toxic, Toxic]:
        """Nothing passes any more, both ways, and nobody is told: a pulled cable."""
        return (
            self.add("timeout", timeout=0, stream="upstream", name="half_open_upstream"),
            self.add("timeout", timeout=0, stream="downstream", name="half_open_downstream"),
        )

    # Connections

    async def _accept(self, listener: socket.socket) -> None:
        # Not `sock_accept`: cancelled at the wrong moment it loses what it has accepted.
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(listener, ready.set)
        try:
            while True:
                await ready.wait()
                ready.clear()
                with contextlib.suppress(BlockingIOError):
                    self._begin(listener.accept()[0])
        finally:
            loop.remove_reader(listener)

    def _begin(self, client: socket.socket) -> None:
        client.setblocking(False)
        task = asyncio.create_task(self._serve(client))
        self._running.add(task)
        task.add_done_callback(partial(self._served, client))

    def _served(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        # One that was cancelled before it had begun has closed nothing.
        client.close()

    async def _serve(self, client: socket.socket) -> None:
        try:
            server = await self._connect()
        except BaseException as error:
            client.close()
            if isinstance(error, OSError):
                return  # refused there, and so ended here
            raise
        connection = Connection(self, client, server)
        self.connections.add(connection)
        try:
            for toxic in self.toxics:
                connection.add(toxic)
            await connection.run()
        finally:
            self.connections.discard(connection)

    async def _connect(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*self.upstream, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        server = socket.socket(family, kind, protocol)
        server.setblocking(False)
        try:
            await loop.sock_connect(server, address)
        except BaseException:
            server.close()
            raise
        return server


class ThreadedProxy:
    """A `Proxy` on an event loop in a thread of its own; from any other thread."""

    def __init__(self, upstream: int | Address, **how: Any) -> None:
        self._proxy = Proxy(upstream, **how)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="tertulia-proxy", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.up()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._proxy.__aexit__())
        self._stop()

    @property
    def port(self) -> int:
        return self._proxy.port

    @property
    def open(self) -> int:
        """Connections that are proxied now."""
        return len(self._proxy.connections)

    def up(self) -> None:
        self._run(self._proxy.up())

    def down(self) -> None:
        self._run(self._proxy.down())

    def reset_all(self) -> int:
        return self._call(self._proxy.reset_all)

    def add(self, kind: str, **attributes: Any) -> Toxic:
        return self._call(lambda: self._proxy.add(kind, **attributes))

    def remove(self, toxic: Toxic | str) -> None:
        self._call(lambda: self._proxy.remove(toxic))

    def clear(self) -> None:
        self._call(self._proxy.clear)

    def half_open(self) -> tuple[Toxic, Toxic]:
        return self._call(self._proxy.half_open)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def _call(self, function: Callable[[], Result]) -> Result:
        async def call() -> Result:
            return function()

        result: Result = self._run(call())
        return result

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        with contextlib.suppress(RuntimeError):
            self._loop.close()
