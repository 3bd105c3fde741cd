"""Memory that nobody uses any more goes back to the system once a crowd has left.

Most of it is in pages that hold nothing now, which neither Python nor glibc gives back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable

from tertulia.chat import publish

EVERY = 10.0  # seconds between two looks
CROWD = 1_000  # connections


class Housekeeping:
    """Looks how many connections there are, for as long as the process serves."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; where the C library has no way to give memory back, there is nothing to do."""
        trim = _malloc_trim()
        if trim is not None:
            self._task = asyncio.create_task(self._run(trim))

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, trim: Callable[[int], int]) -> None:
        most = 0
        while True:
            await asyncio.sleep(EVERY)
            now = sum(runtime.hub.open for runtime in list(publish.runtimes))
            most = max(most, now)
            if most - now >= CROWD and now <= most // 2:
                most = now
                # Some 10 ms after a crowd of 10,000. The collector empties Python's lists of
                # spare objects, each of which may hold a megabyte; what was loaded at the start
                # it does not look at (`lifespan`).
                gc.collect()
                await asyncio.to_thread(trim, 0)


def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim(3); None where there is another C library."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim
