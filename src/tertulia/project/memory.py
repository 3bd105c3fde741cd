"""Memory that nobody uses any more goes back to the system once a crowd has come or gone.

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
CROWD = 1_000  # connections that came or went


class Housekeeping:
    """Looks how many connections came and went, for as long as the process serves."""

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
        done = last = 0
        while True:
            await asyncio.sleep(EVERY)
            opened, here = _connections()
            # How many have come or gone since the process began.
            moved = 2 * opened - here
            new, last = moved - last, moved
            # A crowd that came or went, most of it before this last while: it is over.
            if moved - done >= CROWD and new <= (moved - done) / 10:
                done = moved
                if here < CROWD:
                    # The collector empties Python's lists of spare objects, each of which may
                    # hold a megabyte. It takes 10 ms, and 100 with 10,000 connections.
                    gc.collect()
                await asyncio.to_thread(trim, 0)


def _connections() -> tuple[int, int]:
    """How many were ever opened, and how many are open now."""
    hubs = [runtime.hub for runtime in list(publish.runtimes)]
    return sum(sum(hub.counts.opened.values()) for hub in hubs), sum(hub.open for hub in hubs)


def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim(3); None where there is another C library."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return trim
