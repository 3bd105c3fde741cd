"""What is asked of the socket under a transport, and how many there may be."""

from __future__ import annotations

import asyncio
from functools import cache
from socket import SocketType

# Files that a process has open besides its sockets: database, log, layer, pages under way.
OTHER_FILES = 128


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


@cache
def open_files() -> int | None:
    """The limit on open files, if there is one; a server raises it before its first socket."""
    try:
        import resource
    except ImportError:  # not on this platform
        return None
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if files == resource.RLIM_INFINITY else files
