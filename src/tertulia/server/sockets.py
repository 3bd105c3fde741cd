"""What is asked of the socket under a transport."""

from __future__ import annotations

import asyncio
from socket import SocketType


def endpoint(transport: asyncio.BaseTransport, name: str) -> tuple[str, int] | None:
    """`sockname` or `peername`. Asked of the socket, as uvicorn does, they would be kept."""
    known = transport.get_extra_info(name)
    if isinstance(known, tuple) and len(known) >= 2:
        return str(known[0]), int(known[1])
    return None


def plain_socket(transport: asyncio.Transport) -> SocketType | None:
    """A bare socket on the transport's own descriptor, never to be closed through it."""
    given = transport.get_extra_info("socket")
    if given is None:
        return None
    plain = SocketType(given.family, given.type, given.proto, fileno=given.fileno())
    plain.setblocking(False)
    return plain
