"""The WebSocket class under a real uvicorn: applications that stay in ASGI, and that leave it."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tertulia.protocol.frames import Frames
from tertulia.server import http
from tertulia.server.websocket import EXTENSION
from tests.support.processes import free_port

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Application:
    """Accepts, and keeps the transport of its last connection; here it stays in ASGI."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.received: list[dict[str, Any]] = []
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.transport = scope["extensions"][EXTENSION]
        self.connected.set()
        while True:
            message = await receive()
            self.received.append(message)
            if message["type"] == "websocket.disconnect":
                self.ended.set()
                return


class LeavingApplication(Application):
    """Leaves ASGI as soon as it has accepted, and notes what its handler is told."""

    def __init__(self) -> None:
        super().__init__()
        self.signs = 0
        self.scopes: list[Any] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        scope["state"] = Kept()
        self.scopes.append(weakref.ref(scope["state"]))
        await send({"type": "websocket.accept"})
        self.transport = scope["extensions"][EXTENSION]
        self.transport.leave(self)
        self.connected.set()

    def text(self, text: str) -> None:
        self.received.append({"text": text})
        if text == "hold":
            self.transport.hold()
            asyncio.get_running_loop().call_later(0.2, self._release)

    def _release(self) -> None:
        self.received.append({"text": "released"})
        self.transport.release()

    def binary(self, data: bytes) -> None:
        self.received.append({"bytes": data})

    def alive(self) -> None:
        self.signs += 1

    def lost(self) -> None:
        assert not self.ended.is_set()
        self.ended.set()


class Kept:
    """Something in a scope, of which one can tell whether it is still there."""


@asynccontextmanager
async def serving(
    application: Application | None = None, **options: Any
) -> AsyncIterator[tuple[Any, str, uvicorn.Server]]:
    application, port = application or Application(), free_port()
    settings: dict[str, Any] = {
        "http": "tertulia.server.http:HttpProtocol",
        "ws": "tertulia.server.websocket:WebSocketProtocol",
        "ws_max_size": 131_072,
        "ws_ping_interval": None,
    }
    config = uvicorn.Config(
        application,  # type: ignore[arg-type]
        port=port,
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=2,
        **{**settings, **options},
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
async def connected(
    application: Application | None = None, **options: Any
) -> AsyncIterator[tuple[Any, Any]]:
    async with (
        serving(application, **options) as (application, address, _),
        connect(address, max_size=None) as client,
    ):
        await asyncio.wait_for(application.connected.wait(), 5)
        yield application, client


async def eventually(what: Any) -> None:
    """Wait until it holds."""
    for _ in range(500):
        if what():
            return
        await asyncio.sleep(0.01)
    assert what()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, in whatever way."""
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A raw connection behind its handshake, with an address of `serving`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address[:-1].split(":")[2]))
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def masked(text: str) -> bytes:
    """A short text as a client sends it, under a mask of zeros."""
    payload = text.encode()
    return bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
async def test_ready_made_frames_of_every_size_arrive(size: int) -> None:
    async with connected() as (application, client):
        application.transport.send(Frames([b"a" * size, "ñandú".encode()]))
        assert await client.recv() == "a" * size
        assert await client.recv() == "ñandú"


async def test_a_pong_and_a_ping_are_told_to_a_handler() -> None:
    async with connected(LeavingApplication()) as (application, client):
        assert application.transport.ping() is True
        await eventually(lambda: application.signs == 1)
        await client.ping()
        await eventually(lambda: application.signs == 2)


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


async def test_what_a_peer_does_not_read_is_counted_and_comes_in_order_once_he_reads() -> None:
    async with serving() as (application, address, _):
        reader, writer = await opened(address)
        await asyncio.wait_for(application.connected.wait(), 5)
        assert application.transport.send(Frames([b"first"])) == 0
        sent, waiting = 0, 0
        # More than the kernel's buffers of both ends take.
        while sent < 300 and waiting < 4_000_000:
            waiting = application.transport.send(Frames([b"%05d" % sent * 20_000]))
            sent += 1
            await asyncio.sleep(0)
        assert waiting >= 4_000_000
        assert application.transport.clear is None
        assert await reader.readexactly(7) == b"\x81\x05first"
        for number in range(sent):
            assert await reader.readexactly(10) == b"\x81\x7f" + (100_000).to_bytes(8, "big")
            assert await reader.readexactly(100_000) == b"%05d" % number * 20_000
        # All is with the peer: the next goes straight to the kernel again.
        assert application.transport.send(Frames([b"last"])) == 0
        assert application.transport.clear is not None
        assert await reader.readexactly(6) == b"\x81\x04last"
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


async def test_a_connection_that_has_left_asgi_keeps_no_scope_and_no_task() -> None:
    async with connected(LeavingApplication()) as (application, client):
        await eventually(lambda: gc.collect() >= 0 and application.scopes[0]() is None)
        names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
        assert not [name for name in names if name.startswith("Application.")]
        await client.send("still here")
        await eventually(lambda: application.received == [{"text": "still here"}])
        await client.send(b"bytes")
        await eventually(lambda: application.received[1:] == [{"bytes": b"bytes"}])
        application.transport.send(Frames([b"and I"]))
        assert await client.recv() == "and I"
        await client.close()
        await asyncio.wait_for(application.ended.wait(), 5)


@pytest.mark.parametrize("http_class", ["tertulia.server.http:HttpProtocol", "httptools", "h11"])
async def test_it_works_behind_every_http_class_of_uvicorn(http_class: str) -> None:
    async with connected(LeavingApplication(), http=http_class) as (application, client):
        await client.send("hola")
        await eventually(lambda: application.received == [{"text": "hola"}])


async def test_what_follows_a_message_that_holds_waits_for_its_release() -> None:
    async with connected(LeavingApplication()) as (application, client):
        for text in ("before", "hold", "after", "last"):
            await client.send(text)
        await eventually(lambda: len(application.received) == 5)
        told = [message["text"] for message in application.received]
        assert told == ["before", "hold", "released", "after", "last"]


@pytest.mark.parametrize("application", [Application, LeavingApplication])
async def test_frames_in_the_packet_of_the_handshake_are_heard(
    application: type[Application],
) -> None:
    async with serving(application()) as (serving_application, address, _):
        port = int(address[:-1].split(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(UPGRADE + masked("early") + masked("bird"))
        await reader.readuntil(b"\r\n\r\n")
        await eventually(lambda: len(serving_application.received) == 2)
        told = [message["text"] for message in serving_application.received]
        assert told == ["early", "bird"]
        writer.close()


async def test_a_flood_of_one_peer_leaves_turns_to_the_others() -> None:
    async with serving(LeavingApplication()) as (application, address, _):
        _reader, writer = await opened(address)
        await eventually(lambda: application.transport is not None)
        turns = 0

        def turn() -> None:
            nonlocal turns
            if len(application.received) < 10_000:
                turns += 1
                asyncio.get_running_loop().call_soon(turn)

        asyncio.get_running_loop().call_soon(turn)
        writer.write(masked("x") * 10_000)
        await eventually(lambda: len(application.received) == 10_000)
        assert turns >= 10_000 // 64
        writer.close()


async def test_a_header_that_trickles_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEADER_SECONDS", 0.5)
    async with serving() as (_, address, _server):
        port = int(address[:-1].split(":")[2])
        silent, silent_writer = await asyncio.open_connection("127.0.0.1", port)
        slow, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await ended(silent) == b""

        async def trickle() -> None:
            for byte in UPGRADE:
                writer.write(bytes((byte,)))
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        assert await ended(slow) == b""
        trickling.cancel()
        silent_writer.close()
        writer.close()


async def test_a_header_in_time_has_no_deadline_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "HEADER_SECONDS", 0.3)
    async with connected(LeavingApplication()) as (application, client):
        await asyncio.sleep(0.6)
        await client.send("still here")
        await eventually(lambda: application.received == [{"text": "still here"}])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (UPGRADE.replace(b"GET", b"POST"), b"405"),
        (UPGRADE.replace(b"Version: 13", b"Version: 8"), b"426"),
        (UPGRADE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"c2hvcnQ="), b"400"),
        (UPGRADE.replace(b"Sec-WebSocket-Key", b"X-Key"), b"400"),
    ],
)
async def test_what_is_no_handshake_is_refused_with_a_status(
    request_: bytes, status: bytes
) -> None:
    async with serving() as (_, address, _server):
        port = int(address[:-1].split(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_)
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 " + status)
        writer.close()


async def test_who_stays_in_asgi_is_pinged_as_uvicorn_is_told_and_cut_if_he_is_silent() -> None:
    async with serving(ws_ping_interval=0.2, ws_ping_timeout=0.2) as (application, address, _):
        async with connect(address) as client:
            await asyncio.sleep(1)
            await client.send("my library answered")
            await eventually(lambda: len(application.received) == 1)
        await asyncio.wait_for(application.ended.wait(), 5)
        reader, writer = await opened(address)
        told = await asyncio.wait_for(reader.readuntil((1011).to_bytes(2, "big")), 5)
        assert told.startswith(b"\x89\x00")
        writer.close()
