"""How many sockets a process and an address hold.

Beyond what a process holds they are refused with 503, before the upgrade. Whoever is refused can
come to another process, or later. Without a bound a process runs out of files, and then it can
neither accept nor read its database.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tertulia.hub.connection import close_asgi
from tertulia.protocol.errors import Close
from tertulia.server.sockets import OTHER_FILES, open_files

from .conf import conf
from .throttle import counted

# What `server/` offers by its name; other servers do not.
TRANSPORT_EXTENSION = "tertulia.transport"
# Where a scope names the `SocketCap` that counts its socket.
CAP = "tertulia.cap"
# Open sockets of an address; TERTULIA_LIMITS=off lifts it.
ADDRESS_SOCKETS = 3_000
# Seconds after which somebody with too many sockets may try again.
TOO_MANY_SECONDS = 5.0
# Seconds after which one may come again.
RETRY_SECONDS = 5
# How such a refusal is counted among those by close codes.
FULL = 503
# What an ASGI server offers that can answer a handshake with a response of ours.
_RESPONSE = "websocket.http.response"

_by_address: Counter[str] = Counter()
# Sockets that were closed as soon as they had been accepted, by code; for the metrics.
refused_at_the_door: Counter[int] = Counter()


def address_of(scope: dict[str, Any]) -> str:
    """Whence a socket comes, as it is counted."""
    return counted(scope["client"][0]) if scope.get("client") else "local"


def is_full(address: str) -> bool:
    """Whether this address has as many sockets open here as it may."""
    full: bool = conf.limits and _by_address[address] >= ADDRESS_SOCKETS
    return full


def count_in(address: str) -> None:
    """One more socket of this address, until `count_out`."""
    _by_address[address] += 1


def count_out(address: str) -> None:
    """It has ended."""
    _by_address[address] -= 1
    if _by_address[address] <= 0:
        del _by_address[address]


def most_sockets() -> int:
    """The setting, or what the limit on open files leaves, if that is less."""
    most: int = conf.max_sockets
    files = open_files()
    return most if files is None else min(most, max(files - OTHER_FILES, 1))


class SocketCap:
    """The ASGI application of the sockets, for as many as a process holds."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.open = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self.open >= most_sockets():
            refused_at_the_door[FULL] += 1
            await _refuse(scope, receive, send)
            return
        self.open += 1
        try:
            await self.application({**scope, CAP: self}, receive, send)
        finally:
            # A socket that has left ASGI outlives this call, and tells by `freed`.
            direct = scope.get("extensions", {}).get(TRANSPORT_EXTENSION)
            if direct is None or not direct.left:
                self.freed()

    def freed(self) -> None:
        """A socket has ended."""
        self.open -= 1


async def _refuse(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if _RESPONSE not in scope.get("extensions", {}):
        # This server knows no answer but 403, which would say that it is of no use to come again.
        await send({"type": "websocket.accept"})
        await close_asgi(send, Close.TOO_SLOW, json.dumps({"retry_after": RETRY_SECONDS}))
        return
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", str(RETRY_SECONDS).encode()),
    ]
    await send({"type": f"{_RESPONSE}.start", "status": 503, "headers": headers})
    await send({"type": f"{_RESPONSE}.body", "body": b"Too many connections.\n"})
