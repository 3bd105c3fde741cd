"""Somebody with an account: how he connects, and what he is called."""

from __future__ import annotations

import contextlib
from contextlib import AsyncExitStack
from typing import Any

from tertulia.testing.client import Client
from tertulia.testing.server import Server


class Person:
    """An account of one server. Connections opened here are closed with the test."""

    def __init__(self, server: Server, name: str, token: str, stack: AsyncExitStack) -> None:
        self.server = server
        self.name = name
        self.token = token
        self.stack = stack
        self.id = ""

    @classmethod
    def new(cls, server: Server, stack: AsyncExitStack) -> Person:
        ((name, token),) = server.people(1)
        return cls(server, name, token, stack)

    async def connect(self, ws: str | None = None, **how: Any) -> Client:
        """A connection by bearer token, to the server or to another of its doors."""
        how = how or {"token": self.token}
        client = await Client.connect(ws or self.server.ws, **how)
        self.stack.push_async_callback(_close_quietly, client)
        self.id = client.id
        return client


async def _close_quietly(client: Client) -> None:
    with contextlib.suppress(Exception):
        await client.close()
    assert client.error is None, client.error
