"""/healthz and /readyz, for whatever watches the process.

They stand before Django: no host name, session or database is needed to be told that the
process lives.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from tertulia.chat.outage import Outage

from .environment import read

logger = logging.getLogger("tertulia.project")

PATIENCE = 2.5  # seconds; the answer is promised within 3
# The check of a database that hangs occupies its thread, and only that one.
_thread = ThreadPoolExecutor(1, thread_name_prefix="tertulia-readyz")


def with_health(application: Any) -> Any:
    """The ASGI application, with /healthz and /readyz before it."""
    ready = _Ready()

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/healthz":
            await _answer(scope, send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            failing = await ready.failing()
            status = {"status": "unavailable", "failing": failing} if failing else {"status": "ok"}
            await _answer(scope, send, 503 if failing else 200, status)
        else:
            await application(scope, receive, send)

    return checked


class _Ready:
    """The checks; requests that come while one runs share its result."""

    def __init__(self) -> None:
        checks: dict[str, Callable[[], Awaitable[None]]] = {"database": check_database}
        if read().redis_urls:
            checks["layer"] = check_layer
        self._checks = checks
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._outages = {
            name: Outage(logger, f"The {name} does not answer", f"The {name} answers again")
            for name in checks
        }

    async def failing(self) -> list[str]:
        """The names of what does not answer, within `PATIENCE`."""
        tasks = {name: self._start(name) for name in self._checks}
        await asyncio.wait(tasks.values(), timeout=PATIENCE)
        return [name for name, task in tasks.items() if not (task.done() and task.result())]

    def _start(self, name: str) -> asyncio.Task[bool]:
        task = self._running.get(name)
        if task is None or task.done():
            task = self._running[name] = asyncio.create_task(self._succeeds(name))
        return task

    async def _succeeds(self, name: str) -> bool:
        try:
            await self._checks[name]()
        except Exception as error:  # noqa: BLE001 - whatever it is, it does not answer
            self._outages[name].failed(error)
            return False
        self._outages[name].over()
        return True


async def check_database() -> None:
    """One question to the database, in a thread and on a connection of its own."""
    await asyncio.get_running_loop().run_in_executor(_thread, _ask_database)


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            # A table of ours: a database that has not been migrated is not ready either.
            cursor.execute("SELECT epoch FROM tertulia_chat_installation")
    finally:
        # Back to the pool; a broken one must not be asked again.
        connection.close()


async def check_layer() -> None:
    """Every Redis of the layer answers a ping."""
    await asyncio.gather(*(_ping(url) for url in read().redis_urls))


async def _ping(url: str) -> None:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    client = Redis.from_url(
        url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    try:
        await client.ping()
    finally:
        await client.aclose()


async def _answer(scope: Any, send: Any, status: int, content: dict[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
