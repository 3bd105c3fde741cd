"""The consumers that the routing names.

The two live ones bypass Channels' dispatch, which hops to a thread for every event and gives
each connection a channel of its own: the hub is this process's one subscriber.
"""

from __future__ import annotations

import json
from typing import Any

from channels.consumer import AsyncConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from tertulia.hub.connection import close_asgi
from tertulia.protocol.errors import Close

from .capacity import TOO_MANY_SECONDS, address_of, count_in, count_out, is_full
from .live_classic import ClassicSocket
from .live_protocol import ProtocolSocket


class ProtocolConsumer(AsyncConsumer):
    """`/ws/`: protocol 1."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await ProtocolSocket(scope, receive, send).run()


class ClassicConsumer(AsyncConsumer):
    """`/ws/chat/<room>/` and its like: the classic protocol."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await ClassicSocket(scope, receive, send).run()


class EchoConsumer(AsyncWebsocketConsumer):
    """`/ws/socket/`: a text comes back as it was said. Its sockets count like all others."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        address = address_of(scope)
        if is_full(address):
            await receive()
            await send({"type": "websocket.accept"})
            await close_asgi(send, Close.TOO_MANY, json.dumps({"retry_after": TOO_MANY_SECONDS}))
            return
        count_in(address)
        try:
            await super().__call__(scope, receive, send)
        finally:
            count_out(address)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None:
            await self.close(4400)
        else:
            await self.send(text_data=f"You said: {text_data}")


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """An address that is none: refused before the upgrade."""
    await receive()
    await send({"type": "websocket.close", "code": 1000})
