"""ASGI's lifespan: the chat's part of the process begins and ends with the server."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from typing import Any

from django.db import Error

from tertulia.chat import runtime
from tertulia.chat.outage import Outage

from .health import check_database
from .memory import Housekeeping
from .metrics.board import board

logger = logging.getLogger("tertulia.project")

housekeeping = Housekeeping()

PATIENCE = 30.0  # seconds that a starting process waits for its database


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Start before the first request is taken; stop after the last one is answered."""
    while True:
        message = await receive()
        starting = message["type"] == "lifespan.startup"
        try:
            await (_startup() if starting else _shutdown())
        except Exception:
            logger.exception("the chat could not be %s", "started" if starting else "stopped")
            await send({"type": f"{message['type']}.failed", "message": ""})
            return
        await send({"type": f"{message['type']}.complete"})
        if not starting:
            return


async def _startup() -> None:
    # A worker that is replaced while the database restarts must not take the others, whose
    # supervisor gives up on a failed start, down with it.
    outage = Outage(logger, "Waiting for the database", "The database answers")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            await check_database()
            outage.over()
            break
        except Error as error:
            outage.failed(error)
            await asyncio.sleep(1)
    await runtime.startup()
    board().start()
    # Modules, classes and settings live as long as the process. The collector, which stops
    # everybody while it looks, need not look at these 70,000 objects again (80 ms each time).
    gc.collect()
    gc.freeze()
    housekeeping.start()


async def _shutdown() -> None:
    await housekeeping.stop()
    board().stop()
    await runtime.shutdown()
