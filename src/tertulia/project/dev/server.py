"""The process that serves, until something in it has changed; `__main__.py` starts the next one.

python -m tertulia.project.dev.server PARENT LISTENER (first | again)
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn

from .. import serving, startup
from ..environment import SettingsError, read
from ..worker import die_with

logger = logging.getLogger("tertulia.project")

RESTART = 3
WRONG_USE = 2


class Server(uvicorn.Server):
    """Ends the streams by which pages wait for a reload, before it waits for them to end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.status = 0
        self._stopping = asyncio.Event()
        config.load()
        self._application: Any = config.loaded_app
        config.loaded_app = self._with_ending_streams

    def restart(self, changed: Path) -> None:
        """From any thread: make room for a process with the new code."""
        if self.status != RESTART:
            logger.info("%s has changed: starting anew", changed)
        self.status = RESTART
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)

    async def _with_ending_streams(self, scope: Any, receive: Any, send: Any) -> None:
        from .pages import EVENTS

        if scope["type"] != "http" or scope["path"] != EVENTS:
            await self._application(scope, receive, send)
            return
        begun = False

        async def noticing(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        async def unless_stopping() -> Any:
            message = await receive()
            if self._stopping.is_set():
                # Django's listener outlives the stream, and would complain of its end.
                await asyncio.Event().wait()
            return message

        stream = asyncio.ensure_future(self._application(scope, unless_stopping, noticing))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait((stream, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stream.done():
            await stream
            return
        stream.cancel()
        with suppress(asyncio.CancelledError):
            await stream
        if begun:
            await send({"type": "http.response.body", "body": b""})


def serve(listener: socket.socket, first: bool) -> int:
    """Serve on a socket that listens already; the exit status. Raises SettingsError."""
    env = read()
    startup.prepare(env, pool=True)
    if first:
        startup.warn_without_redis(env)
        serving.announce(env, listener)
    startup.disconnect()
    from .pages import Watch

    server = Server(serving.configuration(env))
    watch = Watch(server.restart)
    threading.Thread(target=watch.run, args=(threading.main_thread(),), daemon=True).start()
    server.run(sockets=[listener])
    return server.status if server.started else 1


def main(arguments: list[str]) -> int:
    """See the module."""
    parent, descriptor, turn = arguments
    die_with(int(parent))
    try:
        with socket.socket(fileno=int(descriptor)) as listener:
            return serve(listener, turn == "first")
    except SettingsError as error:
        print(f"bin/dev: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_USE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
