"""A small pool of our own threads for reads, each with a database connection it keeps.

Channels' own way gives all consumers of a process one thread, and closes the connection
after each call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from tertulia.protocol.errors import ProtocolError, unavailable

from .outage import Outage

logger = logging.getLogger(__name__)

THREADS = 4
# KiB of pages that SQLite keeps for each of them (else 2,000). They serve within a reading:
# whatever is written makes SQLite forget them all, and the system has the file in its memory.
PAGES_KIB = 400
# Reads that may wait; over it they are refused at once.
WAITING = 5_000

Result = TypeVar("Result")


class Readers:
    """`await readers.run(function, ...)` in one of the threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tertulia-reader")
        self._waiting = 0
        self.outage = Outage(
            logger, "The database cannot be read", "The database can be read again"
        )

    @property
    def waiting(self) -> int:
        """Reads that wait or run."""
        return self._waiting

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """The function's result. Raises `ProtocolError`: also when the database is away."""
        if self._waiting >= WAITING:
            raise unavailable("The server is too busy to read.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._read, function, args)
        finally:
            self._waiting -= 1

    def _read(self, function: Callable[..., Result], args: tuple[Any, ...]) -> Result:
        """Once more on a fresh connection if the kept one has gone stale."""
        fresh = connection.connection is None
        try:
            try:
                result = _run(function, args)
            except (OperationalError, InterfaceError):
                connection.close()
                if fresh:
                    raise
                result = _run(function, args)
        except ProtocolError:
            raise
        except (OperationalError, InterfaceError) as error:
            connection.close()
            self.outage.failed(error)
            raise unavailable("The database cannot be read at the moment.") from None
        except Exception:
            # Leave no transaction behind in a connection that is kept.
            connection.close()
            raise
        if self.outage.lasting:
            self.outage.over()
        return result

    def stop(self) -> None:
        """End the threads; reads that have not begun are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _run(function: Callable[..., Result], args: tuple[Any, ...]) -> Result:
    """On a connection that keeps few pages."""
    if connection.connection is None and connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA cache_size = -{PAGES_KIB}")
    return function(*args)
