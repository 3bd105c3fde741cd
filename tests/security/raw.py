"""Requests byte by byte, as no well-behaved client would send them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence

from tertulia.testing.server import Server

Headers = Sequence[tuple[str, str]]
# Every address of a socket: protocol 1, the three classic ones, and the echo.
SOCKETS = ("/ws/", "/ws/chat/lobby/", "/ws/room/lobby/", "/ws/lobby", "/ws/socket/")
PATIENCE = 10.0


async def exchange(
    server: Server, request: bytes, *, source: str | None = None, address: str | None = None
) -> bytes:
    """Send these bytes; all that comes back until the server closes or has said nothing more.

    The connection is half closed when the request is out. `source`: our own address.
    """
    reader, writer = await asyncio.open_connection(
        address or "127.0.0.1", server.port, local_addr=(source, 0) if source else None
    )
    try:
        writer.write(request)
        return await asyncio.wait_for(_head(reader), PATIENCE)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The response's head, or what there was of it when the connection ended."""
    with contextlib.suppress(ConnectionResetError, asyncio.IncompleteReadError):
        return await reader.readuntil(b"\r\n\r\n")
    return b""


def upgrade(server: Server, path: str, headers: Headers) -> bytes:
    """A handshake with these headers besides those that every client sends."""
    lines = [
        f"GET {path} HTTP/1.1",
        *((f"Host: {server.host}",) if not any(name == "Host" for name, _ in headers) else ()),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def handshake(server: Server, path: str, headers: Headers, **how: str) -> int:
    """The status of a handshake: 101 where it was accepted."""
    answer = await exchange(server, upgrade(server, path, headers), **how)
    return status_of(answer)


def status_of(answer: bytes) -> int:
    """0 where the server hung up without a word."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/1.") else 0


def http_connection_from(source: str, server: Server) -> socket.socket:
    """A TCP connection from another address of the loopback."""
    return socket.create_connection(("127.0.0.1", server.port), 10, (source, 0))
