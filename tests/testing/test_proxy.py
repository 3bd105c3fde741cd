"""The fault proxy does to plain sockets what it says."""

from __future__ import annotations

import asyncio
import contextlib
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tertulia.testing.processes import free_port, wait_for
from tertulia.testing.proxy import Proxy, ThreadedProxy
from tertulia.testing.toxics import KINDS, parse

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATIENCE = 5


@dataclass
class Stage:
    """A proxy before a server that only takes connections; `meet` opens one, both its ends."""

    proxy: Proxy
    meet: Callable[[], Awaitable[tuple[Streams, Streams]]]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    came: asyncio.Queue[Streams] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await came.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)

    async def meet() -> tuple[Streams, Streams]:
        client = await asyncio.open_connection("127.0.0.1", proxy.port)
        writers.append(client[1])
        return client, await asyncio.wait_for(came.get(), PATIENCE)

    async with Proxy(server.sockets[0].getsockname()[1], seed=1) as proxy:
        yield Stage(proxy, meet)
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def got(streams: Streams, count: int) -> bytes:
    return await asyncio.wait_for(streams[0].readexactly(count), PATIENCE)


async def end_of(streams: Streams) -> bytes:
    """What comes until the end; ConnectionResetError when it is a reset."""
    return await asyncio.wait_for(streams[0].read(), PATIENCE)


async def silent(streams: Streams, seconds: float = 0.15) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(streams[0].read(1), seconds)
        return False
    return True


async def test_without_toxics_it_passes_everything_and_each_end(stage: Stage) -> None:
    client, server = await stage.meet()
    payload = bytes(range(256)) * 8_192
    client[1].write(payload)
    assert await got(server, len(payload)) == payload
    # Half of the connection ends; the other half goes on.
    client[1].write_eof()
    assert await end_of(server) == b""
    server[1].write(b"still here")
    server[1].close()
    assert await end_of(client) == b"still here"
    await asyncio.sleep(0.05)
    assert not stage.proxy.connections


async def test_a_reset_is_passed_on_as_one(stage: Stage) -> None:
    client, server = await stage.meet()
    sock = client[1].get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client[1].transport.abort()
    with pytest.raises(ConnectionResetError):
        await end_of(server)


async def test_latency_holds_back_one_direction_and_keeps_the_order(stage: Stage) -> None:
    client, server = await stage.meet()
    stage.proxy.add("latency", latency=200, jitter=100)
    began = time.monotonic()
    client[1].write(b"there")
    assert await got(server, 5) == b"there"
    assert time.monotonic() - began < 0.1
    for number in range(20):
        server[1].write(b"%02d" % number)
        await asyncio.sleep(0.005)
    came = await got(client, 40)
    assert came == b"".join(b"%02d" % number for number in range(20))
    # Later by the latency, and not by one latency a piece.
    assert 0.1 <= time.monotonic() - began < 1


async def test_a_toxic_taken_away_lets_go_what_it_held(stage: Stage) -> None:
    client, server = await stage.meet()
    slow = stage.proxy.add("latency", latency=60_000)
    server[1].write(b"late")
    assert await silent(client)
    stage.proxy.remove(slow)
    assert await got(client, 4) == b"late"


async def test_bandwidth_is_the_rate(stage: Stage) -> None:
    client, server = await stage.meet()
    stage.proxy.add("bandwidth", rate=100, stream="upstream")
    began = time.monotonic()
    client[1].write(b"x" * 40_000)
    await got(server, 40_000)
    assert 0.3 < time.monotonic() - began < 2


async def test_a_bandwidth_of_nought_stops_the_sender(stage: Stage) -> None:
    client, _ = await stage.meet()
    stage.proxy.add("bandwidth", rate=0, stream="upstream")
    client[1].transport.set_write_buffer_limits(0)
    client[1].write(b"x" * 30_000_000)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client[1].drain(), 0.5)
    client[1].transport.abort()


async def test_the_slicer_cuts_and_loses_nothing(stage: Stage) -> None:
    client, server = await stage.meet()
    stage.proxy.add("slicer", average_size=100, size_variation=50, delay=1_000)
    payload = bytes(range(200)) * 10
    server[1].write(payload)
    parts = []
    while sum(map(len, parts)) < len(payload):
        parts.append(await asyncio.wait_for(client[0].read(65_536), PATIENCE))
    assert b"".join(parts) == payload
    assert len(parts) > 5


async def test_limit_data_closes_after_so_many_bytes(stage: Stage) -> None:
    stage.proxy.add("limit_data", bytes=1_000, stream="upstream")
    client, server = await stage.meet()
    client[1].write(b"a" * 600)
    assert await got(server, 600)
    client[1].write(b"b" * 600)
    assert await end_of(server) == b"b" * 400
    assert await end_of(client) == b""


async def test_slow_close_holds_back_the_end_and_no_byte(stage: Stage) -> None:
    client, server = await stage.meet()
    slow = stage.proxy.add("slow_close", delay=60_000)
    server[1].write(b"bye")
    server[1].close()
    assert await got(client, 3) == b"bye"
    assert await silent(client)
    stage.proxy.remove(slow)
    assert await end_of(client) == b""


async def test_timeout_swallows_and_then_closes(stage: Stage) -> None:
    client, server = await stage.meet()
    stage.proxy.add("timeout", timeout=300)
    server[1].write(b"lost")
    client[1].write(b"kept")
    assert await got(server, 4) == b"kept"
    assert await silent(client)
    assert await end_of(client) == b""


async def test_half_open_swallows_all_and_tells_nobody(stage: Stage) -> None:
    client, server = await stage.meet()
    stage.proxy.half_open()
    server[1].write(b"lost")
    client[1].write(b"lost")
    assert await silent(client)
    assert await silent(server)
    client[1].transport.abort()
    # Not even the end of one side reaches the other.
    assert await silent(server)
    stage.proxy.clear()
    assert await end_of(server) == b""
    client, server = await stage.meet()
    client[1].write(b"whole")
    assert await got(server, 5) == b"whole"


async def test_reset_peer_really_resets_both_sides(stage: Stage) -> None:
    client, server = await stage.meet()
    client[1].write(b"before")
    assert await got(server, 6)
    stage.proxy.add("reset_peer", timeout=50)
    for side in (client, server):
        with pytest.raises(ConnectionResetError):
            await end_of(side)


async def test_reset_all_spares_those_who_come_later(stage: Stage) -> None:
    client, _ = await stage.meet()
    assert stage.proxy.reset_all() == 1
    with pytest.raises(ConnectionResetError):
        await end_of(client)
    client, server = await stage.meet()
    client[1].write(b"fine")
    assert await got(server, 4) == b"fine"


async def test_down_ends_connections_and_refuses_new_ones_until_up(stage: Stage) -> None:
    client, _ = await stage.meet()
    port = stage.proxy.port
    await stage.proxy.down()
    assert await end_of(client) == b""
    with pytest.raises(ConnectionRefusedError):
        await stage.meet()
    await stage.proxy.up()
    assert stage.proxy.port == port
    client, server = await stage.meet()
    client[1].write(b"back")
    assert await got(server, 4) == b"back"


async def test_toxicity_is_the_share_of_connections(stage: Stage) -> None:
    stage.proxy.add("timeout", timeout=0, toxicity=0.5)
    quiet = 0
    for _ in range(30):
        client, server = await stage.meet()
        server[1].write(b"x")
        quiet += await silent(client, 0.02)
    assert 5 <= quiet <= 25


async def test_what_there_is_not_is_named(stage: Stage) -> None:
    with pytest.raises(ValueError, match="no toxic 'lag'"):
        stage.proxy.add("lag")
    with pytest.raises(ValueError, match="has no 'rate'"):
        stage.proxy.add("latency", rate=1)
    with pytest.raises(ValueError, match="stream"):
        stage.proxy.add("latency", stream="sideways")
    stage.proxy.add("latency")
    with pytest.raises(ValueError, match="already"):
        stage.proxy.add("latency")
    with pytest.raises(ValueError, match="no toxic slow"):
        stage.proxy.remove("slow")


def test_every_toxic_can_be_written_on_the_command_line() -> None:
    given: dict[str, Any] = {
        "latency:latency=100,jitter=20": {"latency": 100.0, "jitter": 20.0},
        "bandwidth:rate=10": {"rate": 10.0},
        "slow_close:delay=5": {"delay": 5.0},
        "timeout:timeout=0,toxicity=0.5": {"timeout": 0.0, "toxicity": 0.5},
        "reset_peer": {},
        "slicer:average_size=10,stream=upstream": {"average_size": 10, "stream": "upstream"},
        "limit_data:bytes=9,name=short": {"bytes": 9, "name": "short"},
    }
    assert {text.partition(":")[0] for text in given} == set(KINDS)
    for text, attributes in given.items():
        assert parse(text) == (text.partition(":")[0], attributes)
    for wrong in ("lag", "latency:latency", "latency:latency=x", "latency:rate=1"):
        with pytest.raises(ValueError, match=r"lag|latency"):
            parse(wrong)


class Echo:
    """A server that sends back what it gets, in a thread."""

    def __enter__(self) -> Echo:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):
                    while data := connection.recv(4_096):
                        connection.sendall(data)


def test_a_synchronous_test_uses_it_too() -> None:
    with Echo() as echo, ThreadedProxy(echo.port) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"
            toxic = proxy.add("timeout", timeout=0)
            client.sendall(b"lost")
            assert not select.select([client], [], [], 0.1)[0]
            assert proxy.open == 1
            proxy.remove(toxic)
            assert client.recv(1) == b""
        with socket.create_connection(("127.0.0.1", proxy.port), 5) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"
            assert proxy.reset_all() == 1
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_the_command_takes_toxics_and_changes_them_while_it_runs() -> None:
    port = free_port()

    def answered() -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(b"hello")
            client.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                return client.recv(5)
            return b"silence"

    with Echo() as echo:
        command = [sys.executable, "-m", "tertulia.testing", "proxy", str(port)]
        process = subprocess.Popen(
            [*command, str(echo.port), "--toxic", "latency:latency=20"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        try:
            assert str(port) in process.stdout.readline()
            assert answered() == b"hello"
            for line, answer in (
                ("add timeout:timeout=0,name=hole", b"silence"),
                ("remove hole", b"hello"),
                ("nonsense", b"hello"),
            ):
                process.stdin.write(line + "\n")
                process.stdin.flush()
                process.stdout.readline()
                assert answered() == answer
            process.stdin.write("down\n")
            process.stdin.flush()
            process.stdout.readline()
            wait_for(lambda: _refused(port), 5, "the proxy is down")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=10)
        assert process.returncode == 0


def _refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["8001", "8002", "--toxic", "lag"], "lag"),
        (["nowhere", "8002"], "nowhere"),
        (["0.0.0.0:8001", "8002"], "loopback"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: list[str], word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tertulia.testing", "proxy", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert word in done.stderr
