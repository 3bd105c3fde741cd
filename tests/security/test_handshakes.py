"""Statement 1: which pages may open a socket, at every address, with every way to say who speaks.

`tests/chat/test_origin.py` has more foreign origins and the public address; here is the product of
origins, addresses and credentials.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tertulia.testing.client import Client, Closed, open_socket
from tertulia.testing.server import Server

from .raw import SOCKETS, handshake
from .web import sessions

CREDENTIALS = ("cookie", "bearer", "wrong bearer", "nothing")


@pytest.fixture(scope="module")
def credentials(embedded: Server) -> dict[str, list[tuple[str, str]]]:
    """Headers by which somebody says who he is."""
    ((name, token),) = embedded.people(1)
    (key,) = sessions(embedded, {name: 1})[name]
    return {
        "cookie": [("Cookie", f"sessionid={key}")],
        "bearer": [("Authorization", f"Bearer {token}")],
        "wrong bearer": [("Authorization", "Bearer made-up")],
        "nothing": [],
    }


def own(port: int) -> list[str]:
    """The site's own origin; `localhost` and `127.0.0.1` are one, and case means nothing."""
    return [f"http://127.0.0.1:{port}", f"http://localhost:{port}", f"HTTP://LocalHost:{port}"]


def foreign(port: int) -> list[list[str]]:
    """Origins that are another's, each as the lines of the header."""
    site = f"http://127.0.0.1:{port}"
    return [
        ["http://evil.example"],
        ["null"],
        [""],
        # look-alikes: what stands behind the host, before it, in its place
        [f"http://127.0.0.1.evil.example:{port}"],
        [f"http://localhost:{port}.evil.example"],
        [f"http://evil-localhost:{port}"],
        [f"http://evil.example.localhost:{port}"],
        [f"http://localhost:{port}@evil.example"],
        [f"http://user:pass@localhost:{port}"],
        [f"http://localhos\u0074\u00ad:{port}"],
        [f"http://localhost.:{port}"],
        [f"http://2130706433:{port}"],
        [f"http://0x7f.1:{port}"],
        # the port, the scheme
        [f"http://localhost:{port + 1}"],
        ["http://localhost"],
        [f"http://localhost:0{port}0"],
        [f"https://localhost:{port}"],
        [f"ws://localhost:{port}"],
        [f"chrome-extension://localhost:{port}"],
        # more than an origin, more than one
        [f"{site}/"],
        [f"{site}?x"],
        [f"{site}#x"],
        [f"{site}, http://evil.example"],
        [site, "http://evil.example"],
        ["http://evil.example", site],
        [site, site],
    ]


@pytest.mark.parametrize("credential", CREDENTIALS)
async def test_no_foreign_page_opens_any_socket(
    embedded: Server, credentials: dict[str, list[tuple[str, str]]], credential: str
) -> None:
    cases = [(path, lines) for path in SOCKETS for lines in foreign(embedded.port)]

    async def attempt(path: str, lines: list[str]) -> int:
        origin = [("Origin", line) for line in lines]
        return await handshake(embedded, path, [*origin, *credentials[credential]])

    statuses = await asyncio.gather(*(attempt(*case) for case in cases))
    let_in = [
        case
        for case, status in zip(cases, statuses, strict=True)
        # Two lines of one header may be refused as no HTTP at all.
        if status != 403 and not (status == 400 and len(case[1]) == 2)
    ]
    assert let_in == []


async def opened(server: Server, path: str, headers: list[tuple[str, str]]) -> str:
    """What becomes of a handshake: who speaks, `nobody`, `closed` with a code, or `echo`."""
    socket = await open_socket(server.ws + path, headers=dict(headers))
    try:
        if path == "/ws/socket/":
            await socket.send("hola")
            assert await socket.recv() == "You said: hola"
            return "echo"
        if path == "/ws/":
            return await _speaks(Client(socket))
        await socket.send('{"message": 1}')
        await socket.recv()
        return "somebody"
    except Exception:
        await socket.wait_closed()
        return f"closed {socket.close_code}"
    finally:
        await socket.close()


async def _speaks(client: Client) -> str:
    reply: dict[str, Any]
    try:
        reply = await client.request("ping")
    except Closed as closed:
        return f"closed {closed.code}"
    await client.close()
    return "somebody" if reply["ok"] else "nobody"


# Who is recognised at `/ws/`, and at the classic addresses.
SEEN = {
    ("own", "cookie"): ("somebody", "somebody"),
    ("own", "bearer"): ("somebody", "somebody"),
    ("own", "wrong bearer"): ("closed 4401", "closed 4401"),
    ("own", "nothing"): ("nobody", "closed 4401"),
    ("none", "cookie"): ("nobody", "closed 4401"),
    ("none", "bearer"): ("somebody", "somebody"),
    ("none", "wrong bearer"): ("closed 4401", "closed 4401"),
    ("none", "nothing"): ("nobody", "closed 4401"),
}


@pytest.mark.parametrize(("origin", "credential"), SEEN)
async def test_who_speaks_where_the_page_is_the_sites_own_or_none(
    embedded: Server,
    credentials: dict[str, list[tuple[str, str]]],
    origin: str,
    credential: str,
) -> None:
    ((_, token),) = embedded.people(1)
    async with await Client.connect(embedded.ws, token=token) as somebody:
        room = await somebody.create("Handshakes")
    protocol, classic = SEEN[origin, credential]
    expected = dict.fromkeys(SOCKETS, classic) | {"/ws/": protocol, "/ws/socket/": "echo"}
    for sent in own(embedded.port) if origin == "own" else [None]:
        headers = [*([("Origin", sent)] if sent else []), *credentials[credential]]
        paths = {path: path.replace("lobby", room) for path in SOCKETS}
        found = await asyncio.gather(*(opened(embedded, each, headers) for each in paths.values()))
        assert dict(zip(paths, found, strict=True)) == expected, sent


async def test_a_cookie_by_another_way_is_no_cookie(
    embedded: Server, credentials: dict[str, list[tuple[str, str]]]
) -> None:
    """In the address, in the subprotocol, twice in the header."""
    ((_, cookie),) = credentials["cookie"]
    for path, headers in (
        (f"/ws/?{cookie}", {}),
        ("/ws/", {"Sec-WebSocket-Protocol": cookie.replace("=", "-")}),
        ("/ws/", {"X-Cookie": cookie}),
        ("/ws/", {"Set-Cookie": cookie}),
    ):
        socket = await open_socket(embedded.ws + path, headers=headers, origin=embedded.url)
        assert await _speaks(Client(socket)) == "nobody", (path, headers)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil"])
async def test_a_foreign_host_is_nobodys_own_origin(
    embedded: Server, credentials: dict[str, list[tuple[str, str]]], host: str
) -> None:
    """Who points a name of his own at the server gets no page of it to open a socket."""
    for path in SOCKETS:
        named = f"{host}:{embedded.port}" if host else ""
        headers = [("Host", named), ("Origin", f"http://{named}"), *credentials["cookie"]]
        assert await handshake(embedded, path, headers) in (400, 403), path
