"""What only time shows, waited for side by side: heartbeats, silence, deadlines."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tertulia.testing.client import Client, open_socket
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.traced import showing

PASSWORD = "a quiet warm room"
HEARTBEAT = 25
NEW_NAME = "somebody new"


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


async def token_renewed(server: Server, name: str, token: str) -> tuple[str, str]:
    """Which names the token of a `welcome` and that of the second heartbeat still know, when the
    first is older than a minute. The account was renamed in the database, unknown to the server:
    so one that is good knows the old name, and without a good one he is asked about."""
    begun = time.monotonic()
    async with await Client.connect(server.ws, token=token, **showing("")) as client:
        first = client.welcome["connect"]
        await client.expect("heartbeat", seconds=1.2 * HEARTBEAT)
        second = (await client.expect("heartbeat", seconds=1.2 * HEARTBEAT))["connect"]
    code = "from tertulia.chat.models import Participant; "
    code += f"Participant.objects.filter(name={name!r}).update(name={NEW_NAME!r})"
    await asyncio.to_thread(server.shell, code)
    await asyncio.sleep(max(0, begun + 60 - time.monotonic()))
    names = []
    for shown in (second, first):
        async with await Client.connect(server.ws, token=token, **showing(shown)) as client:
            names.append(client.name)
    return names[1], names[0]


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
    (_, one), (_, two), (_, three), (name, four) = server.people(4)

    async def all_of_them() -> dict[str, Any]:
        waits = {
            "heartbeats": heartbeats(server, one),
            "nobody": nobody_answers(server, two),
            "pongs": pongs_only(server, three),
            "who": never_says_who(server),
            "session": session_deleted(server, browser),
            "token": token_renewed(server, name, four),
        }
        results = await asyncio.gather(*waits.values(), return_exceptions=True)
        return dict(zip(waits, results, strict=True))

    return asyncio.run(all_of_them())
