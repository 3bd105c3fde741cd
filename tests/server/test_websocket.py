"""The WebSocket class under a real uvicorn, with an application that writes ready-made frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tertulia.protocol.frames import Frames
from tertulia.server.websocket import EXTENSION
from tests.support.processes import free_port


class Application:
    """Accepts, and keeps the transport of its last connection."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.received: list[dict[str, Any]] = []
        self.pongs = 0
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.transport = scope["extensions"][EXTENSION]
        self.transport.watch(self._pong)
        self.connected.set()
        while True:
            message = await receive()
            self.received.append(message)
            if message["type"] == "websocket.disconnect":
                self.ended.set()
                return

    def _pong(self) -> None:
        self.pongs += 1


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Application, str, uvicorn.Server]]:
    application, port = Application(), free_port()
    config = uvicorn.Config(
        application,
        port=port,
        ws="tertulia.server.websocket:WebSocketProtocol",
        ws_max_size=131_072,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has only this flag
        await asyncio.sleep(0.01)
    try:
        yield application, f"ws://127.0.0.1:{port}/", server
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Application, Any]]:
    async with serving() as (application, address, _), connect(address, max_size=None) as client:
        await asyncio.wait_for(application.connected.wait(), 5)
        yield application, client


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
async def test_ready_made_frames_of_every_size_arrive(size: int) -> None:
    async with connected() as (application, client):
        application.transport.send(Frames([b"a" * size, "ñandú".encode()]))
        assert await client.recv() == "a" * size
        assert await client.recv() == "ñandú"


async def test_a_pong_is_told() -> None:
    async with connected() as (application, client):
        assert application.transport.ping() is True
        await client.ping()
        for _ in range(100):
            if application.pongs:
                break
            await asyncio.sleep(0.01)
        assert application.pongs == 1


async def test_a_close_has_its_code_and_reason_and_ends_the_application() -> None:
    async with connected() as (application, client):
        application.transport.close(1013, json.dumps({"retry_after": 1.0}))
        application.transport.send(Frames([b"too late"]))
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert json.loads(closed.value.rcvd.reason) == {"retry_after": 1.0}
        await asyncio.wait_for(application.ended.wait(), 5)


async def test_what_a_peer_does_not_read_is_counted() -> None:
    async with serving() as (application, address, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address[:-1].split(":")[2]))
        writer.write(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        frames = Frames([b"x" * 100_000])
        await asyncio.wait_for(application.connected.wait(), 5)
        assert application.transport.buffered() == 0
        # More than the kernel's buffers of both ends take.
        for _ in range(300):
            application.transport.send(frames)
            await asyncio.sleep(0)
            if application.transport.buffered() > 4_000_000:
                break
        assert application.transport.buffered() > 4_000_000
        writer.close()


async def test_a_stopping_server_closes_with_1012_and_says_when_to_come_back() -> None:
    async with serving() as (_, address, server):
        client = await connect(address)
        server.should_exit = True
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert json.loads(closed.value.rcvd.reason)["retry_after"] > 0
