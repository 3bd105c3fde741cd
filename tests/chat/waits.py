"""What only time shows, waited for side by side: heartbeats, silence, deadlines."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.support.browser import Browser
from tests.support.client import Client, open_socket
from tests.support.server import Server

PASSWORD = "a quiet warm room"
HEARTBEAT = 25


async def heartbeats(server: Server, token: str) -> list[float]:
    """When each heartbeat came, in seconds after welcome, within two and a half of them."""
    async with await Client.connect(server.ws, token=token) as client:
        began, seen = time.monotonic(), []
        while time.monotonic() - began < 2.2 * HEARTBEAT:
            left = 2.2 * HEARTBEAT - (time.monotonic() - began)
            try:
                frame = await client.expect("heartbeat", seconds=left)
            except TimeoutError:
                break
            assert frame == {"type": "heartbeat"}
            seen.append(time.monotonic() - began)
        await client.cmd("ping")
        return seen


async def nobody_answers(server: Server, token: str) -> tuple[int | None, float]:
    """A client that reads but never answers a ping: the close code and after how long."""
    socket = await open_socket(server.ws + "/ws/", token=token)
    protocol = socket.protocol
    answer = protocol.recv_frame

    def without_pongs(frame: Any) -> None:
        """websockets answers a ping by itself; here the answer is thrown away."""
        answer(frame)
        if frame.opcode == 9:
            protocol.writes.pop()

    protocol.recv_frame = without_pongs  # type: ignore[method-assign]
    began = time.monotonic()
    await asyncio.wait_for(socket.wait_closed(), 4 * HEARTBEAT)
    return socket.close_code, time.monotonic() - began


async def pongs_only(server: Server, token: str) -> bool:
    """A client that says nothing but answers pings is still welcome after two heartbeats."""
    async with await Client.connect(server.ws, token=token) as client:
        await asyncio.sleep(2.4 * HEARTBEAT)
        await client.cmd("ping")
        return client.closed is None


async def never_says_who(server: Server) -> tuple[int | None, float]:
    """A connection without credentials: the close code and after how long."""
    began = time.monotonic()
    client = await Client.connect(server.ws, welcome=False)
    closed = await client.closing(30)
    return closed.code, time.monotonic() - began


async def session_deleted(server: Server, browser: Browser) -> tuple[int | None, float]:
    """The session's row goes away behind the server's back."""
    client = await Client.connect(server.ws, cookie=browser.cookie, origin=browser.origin)
    key = browser.cookies["sessionid"]
    code = "from django.contrib.sessions.models import Session; "
    code += f"Session.objects.filter(pk={key!r}).delete()"
    await asyncio.to_thread(server.shell, code)
    began = time.monotonic()
    closed = await client.closing(90)
    return closed.code, time.monotonic() - began


def wait_for_all(server: Server) -> dict[str, Any]:
    """Every wait, run at the same time; it takes as long as the longest, about a minute."""
    server.createuser("session-goes", password=PASSWORD)
    browser = Browser(server.url)
    browser.sign_in("session-goes", PASSWORD)
    (_, one), (_, two), (_, three) = server.people(3)

    async def all_of_them() -> dict[str, Any]:
        waits = {
            "heartbeats": heartbeats(server, one),
            "nobody": nobody_answers(server, two),
            "pongs": pongs_only(server, three),
            "who": never_says_who(server),
            "session": session_deleted(server, browser),
        }
        results = await asyncio.gather(*waits.values(), return_exceptions=True)
        return dict(zip(waits, results, strict=True))

    return asyncio.run(all_of_them())
