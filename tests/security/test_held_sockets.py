"""Statement 15: nobody holds a connection by sending almost nothing, or by reading nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest

from tertulia.testing.processes import wait_for
from tertulia.testing.server import Server
from tests.server.rawpeer import TEXT, Peer, frame
from tests.support.people import Person

from .raw import upgrade

# Seconds for a header to come; for a peer to answer our close before it is cut.
PATIENCE = 10.0
LONG = "x" * 9_000
# The kernel's connections, with the number of the file of each.
TABLE = Path("/proc/net/tcp")


async def cut_after(server: Server, request: bytes, pause: float = 0.2) -> float:
    """Seconds until the server ends a connection that is sent this, byte by byte, and no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    began = time.monotonic()

    async def trickle() -> None:
        for byte in request:
            writer.write(bytes((byte,)))
            await asyncio.sleep(pause)

    trickling = asyncio.create_task(trickle())
    try:
        assert await asyncio.wait_for(reader.read(), 3 * PATIENCE) == b""
    except ConnectionResetError:
        pass
    finally:
        trickling.cancel()
        writer.close()
    return time.monotonic() - began


def holds(server: Server, port: int) -> bool:
    """Whether the server has a file for its connection with this port of ours.

    What it sent may outlast that for a while: the kernel goes on offering it.
    """
    if not TABLE.exists():
        pytest.skip("only Linux tells which connections have a file")
    for line in TABLE.read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(end.split(":")[1], 16) for end in fields[1:3]]
        if ports == [server.port, port]:
            return fields[9] != "0"
    return False


def unread(server: Server, person: Person, room: str) -> None:
    """A socket that asks for a lot and reads nothing of it is cut."""
    bearer = f"Authorization: Bearer {person.token}"
    peer = Peer(server.port, "/ws/", bearer, window=4_096)
    ask = {"type": "history.list", "room": room, "limit": 100}
    asking = [frame(TEXT, json.dumps({**ask, "ref": ref}).encode()) for ref in range(40)]
    try:
        peer.send(*asking)
        assert holds(server, peer.port)
        wait_for(lambda: not holds(server, peer.port), 3 * PATIENCE, "it is cut", pause=0.2)
    finally:
        peer.leave()


async def test_nobody_holds_a_connection_for_nothing(embedded: Server, ana: Person) -> None:
    """All of it at once, since each takes the server's ten seconds."""
    client = await ana.connect()
    room = await client.create("Much to read")
    await asyncio.gather(*(client.say(room, LONG) for _ in range(100)))
    page = f"GET /accounts/login/ HTTP/1.1\r\nHost: {embedded.host}\r\nX-Slow: ".encode()
    socket = upgrade(embedded, "/ws/", [("X-Slow", "x" * 1_000)])
    post = f"POST /accounts/login/ HTTP/1.1\r\nHost: {embedded.host}\r\nContent-".encode()
    attacks: dict[str, Awaitable[float]] = {
        "says nothing": cut_after(embedded, b""),
        "trickles a page's header": cut_after(embedded, page + b"x" * 1_000),
        "trickles a socket's header": cut_after(embedded, socket),
        "trickles an endless line": cut_after(embedded, b"GET /" + b"x" * 1_000),
        "stops within a header": cut_after(embedded, post, pause=0),
    }
    times, _ = await asyncio.gather(
        asyncio.gather(*attacks.values()), asyncio.to_thread(unread, embedded, ana, room)
    )
    # Not before either: a slow telephone has its time.
    assert [
        (name, taken)
        for name, taken in zip(attacks, times, strict=True)
        if not PATIENCE - 0.5 < taken < 2 * PATIENCE
    ] == []
    # Whoever reads has noticed nothing.
    await client.say(room, "still here")
