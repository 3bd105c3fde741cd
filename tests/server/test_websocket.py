"""The WebSocket class under a real uvicorn: applications that stay in ASGI, and that leave it."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import struct
import tracemalloc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tertulia.chat.capacity import CAP, SocketCap, count_in, is_full
from tertulia.chat.live import LiveSocket
from tertulia.protocol.frames import Frames
from tertulia.server import framing, http
from tertulia.server.websocket import EXTENSION
from tertulia.testing.processes import free_port

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


async def test_a_message_in_a_flood_of_fragments_leaves_turns_to_the_others() -> None:
    """Its frames count as messages do, although only the last of them makes one."""
    async with serving(LeavingApplication()) as (application, address, _):
        _reader, writer = await opened(address)
        await eventually(lambda: application.transport is not None)
        turns = 0

        def turn() -> None:
            nonlocal turns
            if not application.received:
                turns += 1
                asyncio.get_running_loop().call_soon(turn)

        asyncio.get_running_loop().call_soon(turn)
        first, between, last = (bytes((head, 0x80)) + bytes(4) for head in (0x01, 0x00, 0x80))
        writer.write(first + between * 10_000 + last)
        await eventually(lambda: application.received)
        assert application.received == [{"text": ""}]
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


class Page(Application):
    """Answers requests of HTTP when it has read them; the first after a pause."""

    def __init__(self, pause: float = 0) -> None:
        super().__init__()
        self.pause = pause

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        pause, self.pause = self.pause, 0
        await asyncio.sleep(pause)
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.ended.set()
                return
            size, more = size + len(message["body"]), message["more_body"]
        body = b"read %d bytes." % size
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def page(
    pause: float = 0,
) -> AsyncIterator[tuple[Page, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to it, which keep-alive does not end."""
    application = Page(pause)
    async with serving(application, timeout_keep_alive=60) as (_, address, _server):
        port = int(address[:-1].split(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield application, reader, writer
        writer.close()


async def answered(reader: asyncio.StreamReader, size: int = 0) -> None:
    """Wait for the page's answer to a body of this size."""
    answer = await asyncio.wait_for(reader.readuntil(b" bytes."), 10)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"read %d bytes." % size)


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "header",
    [
        GET + b"X: y\r\n" * 100,
        GET + b"X: " + b"y" * http.HEADER_BYTES + b"\r\n",
        b"GET /" + b"y" * http.HEADER_BYTES + b" HTTP/1.1\r\n",
    ],
    ids=["fields", "field", "url"],
)
async def test_a_header_that_is_too_large_is_answered_with_431(header: bytes) -> None:
    async with page() as (_, reader, writer):
        writer.write(header + b"\r\n")
        answer = await ended(reader)
        assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
        assert b"connection: close\r\n" in answer


@pytest.mark.parametrize(
    "begin",
    [
        GET + b"X: ",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ",
    ],
    ids=["header", "trailer"],
)
async def test_a_field_without_an_end_ends_the_connection(begin: bytes) -> None:
    async with page() as (_, reader, writer):
        writer.write(begin)
        reading = asyncio.create_task(ended(reader))
        sent = 0
        while not reading.done() and sent < 3_000_000:
            writer.write(b"y" * 10_000)
            sent += 10_000
            await asyncio.sleep(0.01)
        assert sent < 3_000_000
        await reading


async def test_a_body_and_the_header_behind_it_are_not_counted_as_one_header() -> None:
    body = b"y" * 2 * http.HEADER_BYTES
    head = b"X: y\r\n" * 90 + b"Content-Length: %d\r\n\r\n" % len(body)
    request = GET.replace(b"GET", b"POST") + head + body
    async with page() as (_, reader, writer):
        writer.write(request * 2)
        await answered(reader, len(body))
        await answered(reader, len(body))


async def test_an_empty_line_behind_a_request_does_not_hold_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "HEADER_SECONDS", 0.3)
    async with page() as (_, reader, writer):
        writer.write(GET + b"\r\n")
        await answered(reader)
        writer.write(b"\r\n")
        assert await ended(reader) == b""


async def test_a_body_that_never_comes_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.3)
    async with page() as (application, reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n12")
        assert await ended(reader) == b""
        await asyncio.wait_for(application.ended.wait(), 5)


async def test_a_body_that_comes_slowly_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.5)
    async with page() as (_, reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 16\r\n\r\n")
        for _ in range(16):
            await asyncio.sleep(0.1)
            writer.write(b"y")
        await answered(reader, 16)


async def test_a_body_that_waits_for_the_application_has_no_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.2)
    size = 3_000_000
    async with page(pause=1.5) as (_, reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + b"y" * size)
        await answered(reader, size)


async def test_a_header_behind_a_slow_answer_has_its_time_once_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "HEADER_SECONDS", 0.2)
    async with page(pause=1.5) as (_, reader, writer):
        writer.write((GET + b"\r\n") * 2 + GET)
        await asyncio.sleep(0.1)
        writer.write(b"\r\n")
        for _ in range(3):
            await answered(reader)


class Fickle(LeavingApplication):
    """Something happens between its accepting and its leaving; counts how often it is lost."""

    def __init__(self, meanwhile: Any) -> None:
        super().__init__()
        self.meanwhile = meanwhile
        self.losses = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.transport = scope["extensions"][EXTENSION]
        await self.meanwhile(self.transport, receive)
        self.transport.leave(self)
        self.connected.set()

    def lost(self) -> None:
        self.losses += 1


async def closes(transport: Any, _receive: Any) -> None:
    transport.close(4000, "")


async def awaits_the_end(_transport: Any, receive: Any) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


@pytest.mark.parametrize("meanwhile", [closes, awaits_the_end])
async def test_an_end_between_accepting_and_leaving_is_told_once(meanwhile: Any) -> None:
    async with serving(Fickle(meanwhile)) as (application, address, server):
        async with connect(address):
            pass
        await asyncio.wait_for(application.connected.wait(), 5)
        await eventually(lambda: not server.server_state.connections)
        assert application.losses == 1


async def test_a_message_from_before_the_leaving_holds_those_behind_it() -> None:
    async def waits(_transport: Any, _receive: Any) -> None:
        await asyncio.sleep(0.2)

    async with serving(Fickle(waits)) as (application, address, _):
        _reader, writer = await opened(address)
        writer.write(masked("hold") + masked("after"))
        await eventually(lambda: len(application.received) == 3)
        told = [message["text"] for message in application.received]
        assert told == ["hold", "released", "after"]
        writer.close()


class Failing(LeavingApplication):
    """Fails for some texts, and at the end."""

    def text(self, text: str) -> None:
        super().text(text)
        if text == "fail":
            raise ZeroDivisionError

    def lost(self) -> None:
        super().lost()
        raise ZeroDivisionError


@pytest.mark.parametrize("before", [0, 100])
async def test_a_handler_that_fails_is_closed_with_1011_and_hears_of_the_end(before: int) -> None:
    async with serving(Failing()) as (application, address, server):
        reader, writer = await opened(address)
        # With the peer's close in the same packet, or behind it.
        texts = masked("x") * before + masked("fail") + masked("unheard")
        close = b"\x88\x80" + bytes(4)
        writer.write(texts + close if before else texts)
        assert await reader.readexactly(4) == b"\x88\x02" + (1011).to_bytes(2, "big")
        writer.write(b"" if before else close)
        await asyncio.wait_for(application.ended.wait(), 5)
        assert len(application.received) == before + 1
        await eventually(lambda: not server.server_state.connections)
        assert await ended(reader) == b""
        writer.close()


async def test_the_end_is_told_of_a_peer_who_is_gone_while_reading_rests() -> None:
    async with serving(LeavingApplication()) as (application, address, _):
        _reader, writer = await opened(address)
        await asyncio.wait_for(application.connected.wait(), 5)
        application.transport.hold()
        # A reset, as of a process that was killed with something unread.
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()

        def told() -> bool:
            application.transport.send(Frames([b"is anybody there?"]))
            return application.ended.is_set()

        await eventually(told)


def test_a_text_in_many_small_fragments_takes_little_more_than_its_bytes() -> None:
    reader, size = framing.Reader(131_072), 3 * 43_000
    tracemalloc.start()
    try:
        for number in range(size // 3):
            head = b"\x00" if number else b"\x01"
            (part,) = reader.feed(head + b"\x83" + bytes(4) + "€".encode())
            assert part == (framing.CONT, b"")
        assert tracemalloc.get_traced_memory()[0] < 2 * size
    finally:
        tracemalloc.stop()
    assert list(reader.feed(b"\x80\x80" + bytes(4))) == [(framing.TEXT, "€" * 43_000)]


def test_a_socket_that_is_told_twice_of_its_end_is_counted_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Socket(LiveSocket):
        def _ended(self) -> None: ...

    monkeypatch.setattr("tertulia.chat.capacity.ADDRESS_SOCKETS", 1)
    cap = SocketCap(None)
    cap.open = 2
    told = Socket({"client": ("192.0.2.1", 1), CAP: cap}, None, None)
    count_in(told.address)
    count_in(told.address)
    told.lost()
    told.lost()
    assert cap.open == 1
    assert is_full(told.address)
    Socket({"client": ("192.0.2.1", 2)}, None, None).lost()
    assert not is_full(told.address)
