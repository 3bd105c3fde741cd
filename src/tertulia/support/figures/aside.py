"""Where the figures are counted: in a thread of their own, so that the other pages are answered
meanwhile. One report at a time in each process: whoever else asks waits, for so long at most.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from tertulia.protocol.errors import unavailable

from .asked import Asked
from .report import Report, report

# Seconds until who waits is told to come again; and after how many.
PATIENCE = 30.0
RETRY_AFTER = 10.0
_thread = ThreadPoolExecutor(1, thread_name_prefix="tertulia-figures")


async def report_aside(asked: Asked) -> Report | None:
    """As `report`. Raises `ProtocolError` when the turn has not come or not ended in time."""
    counting = asyncio.get_running_loop().run_in_executor(_thread, _report, asked)
    try:
        # What has not begun by then, or when the browser has gone, never begins.
        return await asyncio.wait_for(counting, PATIENCE)
    except TimeoutError:
        raise unavailable("Too many figures are being counted.", retry_after=RETRY_AFTER) from None


def _report(asked: Asked) -> Report | None:
    try:
        return report(asked)
    finally:
        # Back to the pool; figures are seldom asked for.
        connection.close()
