"""ASGI's lifespan: the chat's part of the process begins and ends with the server."""

from __future__ import annotations

import logging
from typing import Any

from tertulia.chat import runtime

logger = logging.getLogger("tertulia.project")


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """Start before the first request is taken; stop after the last one is answered."""
    while True:
        message = await receive()
        starting = message["type"] == "lifespan.startup"
        try:
            await (runtime.startup() if starting else runtime.shutdown())
        except Exception:
            logger.exception("the chat could not be %s", "started" if starting else "stopped")
            await send({"type": f"{message['type']}.failed", "message": ""})
            return
        await send({"type": f"{message['type']}.complete"})
        if not starting:
            return
