"""Statement 13: frames have 128 KiB at most, however they are sent; nothing is ever unfolded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tertulia.testing.server import Server
from tests.server.rawpeer import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, Peer, frame

LIMIT = 131_072
MIB = 1024**2
# Protocol 1, which reads what its peer sends before it knows who he is, and the echo.
PATHS = ("/ws/", "/ws/socket/")
# More than what a server's memory sways by itself, and far less than what is sent.
SLACK = 12 * MIB

Connect = Callable[..., Peer]


@pytest.fixture
def connect(embedded: Server) -> Iterator[Connect]:
    """Opens connections that end with the test."""
    peers: list[Peer] = []

    def new(path: str, *headers: str) -> Peer:
        peers.append(Peer(embedded.port, path, *headers))
        return peers[-1]

    yield new
    for peer in peers:
        peer.leave()


def memory(server: Server) -> int:
    """Bytes that all its processes have in memory; 0 where no system tells."""
    if not Path("/proc/self/status").exists():
        return 0
    pids = server.worker_pids()
    return sum(int(_status(pid).split("VmRSS:")[1].split()[0]) * 1024 for pid in pids)


def _status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def refused(peer: Peer) -> int | None:
    """The code by which the server fails the connection; what it said before does not matter."""
    while (received := peer.receive()).opcode != CLOSE:
        pass
    return received.code


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 30, (1 << 63) - 1])
def test_a_declared_length_is_refused_before_it_comes(
    embedded: Server, connect: Connect, path: str, size: int
) -> None:
    before = memory(embedded)
    peer = connect(path)
    peer.send(frame(TEXT, bytes(1_000), length=struct.pack("!BQ", 127, size)))
    # What it goes on sending is passed over, so that it may read why.
    peer.send_without_reading(bytes(65_536), 200)
    assert refused(peer) == 1009
    assert memory(embedded) - before < SLACK


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1, 1_000, LIMIT])
def test_endless_fragments_end_at_the_limit(
    embedded: Server, connect: Connect, path: str, size: int
) -> None:
    before = memory(embedded)
    peer = connect(path)
    peer.send(frame(TEXT, final=False))
    fragments = frame(CONTINUATION, b"x" * size, final=False) * max(1, LIMIT // size // 4)
    peer.send_without_reading(fragments, 40)
    assert refused(peer) == 1009
    assert memory(embedded) - before < SLACK


@pytest.mark.parametrize("path", PATHS)
def test_fragments_of_nothing_take_no_memory(embedded: Server, connect: Connect, path: str) -> None:
    before = memory(embedded)
    peer = connect(path)
    peer.send(frame(TEXT, final=False))
    for _ in range(20):
        peer.send(frame(CONTINUATION, final=False) * 5_000)
    peer.send(frame(PING, b"all of it"))
    while (received := peer.receive()) != Frame(PONG, b"all of it"):
        assert received.opcode == TEXT, received
    assert memory(embedded) - before < SLACK


def test_a_hundred_messages_that_never_end_take_no_more_than_their_bytes(
    embedded: Server, connect: Connect
) -> None:
    before = memory(embedded)
    peers = [connect("/ws/socket/") for _ in range(100)]
    for peer in peers:
        peer.send(frame(BINARY, bytes(LIMIT))[:-1])
    for peer in peers[:5]:
        peer.send(frame(BINARY, bytes(LIMIT))[-1:])
    assert memory(embedded) - before < 100 * LIMIT * 3 / 2 + SLACK


OFFERS = (
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "x-webkit-deflate-frame, permessage-bzip2, permessage-deflate; server_max_window_bits=8",
)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("offer", OFFERS)
def test_no_compression_is_agreed_on(connect: Connect, path: str, offer: str) -> None:
    peer = connect(path, f"Sec-WebSocket-Extensions: {offer}")
    assert b"sec-websocket-extensions" not in peer.head.lower()


@pytest.mark.parametrize("path", PATHS)
def test_a_compression_bomb_is_not_unfolded(embedded: Server, connect: Connect, path: str) -> None:
    """A hundred MiB of nothing, in a frame within the limit that is said to be compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(MIB)
    bomb = b"".join(packer.compress(zeros) for _ in range(100)) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < LIMIT
    before = memory(embedded)
    peer = connect(path, f"Sec-WebSocket-Extensions: {OFFERS[1]}")
    peer.send(frame(TEXT, bomb, reserved=4))
    assert refused(peer) == 1002
    assert memory(embedded) - before < SLACK
