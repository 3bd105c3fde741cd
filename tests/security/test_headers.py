"""Statement 4: control bytes in headers are refused, and no request sees another's state."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from pathlib import Path

import pytest

from tertulia.testing.client import open_socket
from tertulia.testing.server import Server
from tests.support.classic import ClassicClient

from .raw import exchange, handshake, status_of, upgrade
from .web import Visitor, sessions

ROOT = Path(__file__).parents[2]
# All control bytes but the tab, which may stand in a value; line ends are tried by themselves.
CONTROLS = [byte for byte in (*range(0x20), 0x7F) if byte not in (0x09, 0x0A, 0x0D)]


def page(server: Server, *lines: bytes) -> bytes:
    head = [b"GET /accounts/login/ HTTP/1.1", f"Host: {server.host}".encode(), *lines]
    return b"\r\n".join([*head, b"Connection: close", b"", b""])


@pytest.mark.parametrize("where", ["value", "name"])
async def test_control_bytes_in_a_header_are_refused(embedded: Server, where: str) -> None:
    """On a page and on a socket; before anything of ours is asked."""

    async def attempt(byte: int) -> tuple[int, int]:
        bad = bytes([byte])
        line = b"X-Odd: a" + bad + b"b" if where == "value" else b"X-O" + bad + b"dd: a"
        socket = upgrade(embedded, "/ws/", []).rstrip(b"\r\n") + b"\r\n" + line + b"\r\n\r\n"
        answers = [await exchange(embedded, page(embedded, line)), await exchange(embedded, socket)]
        return status_of(answers[0]), status_of(answers[1])

    statuses = await asyncio.gather(*(attempt(byte) for byte in CONTROLS))
    let_in = [
        hex(byte)
        for byte, found in zip(CONTROLS, statuses, strict=True)
        if not set(found) <= {0, 400}
    ]
    assert let_in == []


SMUGGLED = {
    "a line end without its return": b"X-Odd: a\nX-Forged: yes",
    "a return without its line end": b"X-Odd: a\rX-Forged: yes",
    "a folded line": b"X-Odd: a\r\n folded: yes",
    "a space before the colon": b"Content-Length : 5",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 5",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "a length that is none": b"Content-Length: +5",
}


@pytest.mark.parametrize("case", SMUGGLED)
async def test_a_request_within_a_request_is_refused(embedded: Server, case: str) -> None:
    answer = await exchange(embedded, page(embedded, SMUGGLED[case]))
    assert status_of(answer) in (0, 400), answer


@pytest.mark.parametrize("odd", ["%0d%0aX-Forged:%20yes", "%00", "%0a", "%e2%80%a8", "%7f%1b[31m"])
async def test_what_is_asked_for_forges_no_header_of_the_answer(embedded: Server, odd: str) -> None:
    paths = (
        f"/chat/x{odd}/",
        f"/chat/-/enter/?name=x{odd}",
        f"/accounts/login/?next=/chat/{odd}",
        f"/accounts/signup/?invite={odd}&next=/x{odd}",
        f"/chat/-/settings/?done={odd}",
        f"/no/such{odd}",
    )
    with Visitor(embedded) as visitor:
        for path in paths:
            answer = await asyncio.to_thread(visitor.get, path)
            assert answer.status < 500, path
            assert "x-forged" not in answer.headers, path
        form = {"language": "es", "next": f"/chat/\r\nX-Forged: {odd}"}
        answer = await asyncio.to_thread(
            lambda: visitor.ask("POST", "/chat/-/language/", form=form)
        )
    assert answer.status < 500
    assert "x-forged" not in answer.headers


async def test_a_made_up_subprotocol_is_not_confirmed(embedded: Server) -> None:
    ((_, token),) = embedded.people(1)
    for offered in ("tertulia.v2", "tertulia.v1x", "chat"):
        socket = await open_socket(embedded.ws + "/ws/", token=token, subprotocols=[offered])
        assert socket.subprotocol is None
        await socket.close()
    headers = [("Sec-WebSocket-Protocol", "tertulia.v1, , ;")]
    assert await handshake(embedded, "/ws/", headers) in (101, 400)


async def test_no_state_is_shared_between_requests(embedded: Server) -> None:
    """Two people at once, on the addresses that Channels authenticates and on pages."""
    people = embedded.people(2)
    held = sessions(embedded, {name: 1 for name, _ in people})

    async def on_a_socket(name: str) -> None:
        how = {"cookie": f"sessionid={held[name][0]}", "origin": embedded.url}
        async with await ClassicClient.connect(embedded.ws, f"room-of-{name}", **how) as client:
            # There is no such room: what matters is that it is closed for that alone.
            assert (await client.closing()).code == 4404

    async def named(name: str) -> None:
        socket = await open_socket(
            embedded.ws + "/ws/", cookie=f"sessionid={held[name][0]}", origin=embedded.url
        )
        welcome = json.loads(await socket.recv())
        await socket.close()
        assert welcome["me"]["name"] == name

    def on_a_page(name: str) -> None:
        with Visitor(embedded, held[name][0]) as visitor:
            shown = re.search(r'"name": "([^"]+)"', visitor.get("/chat/").text)
        assert shown
        assert shown[1] == name

    async def nobody() -> None:
        with Visitor(embedded) as visitor:
            assert (await asyncio.to_thread(visitor.get, "/chat/")).status == 302
        assert await handshake(embedded, "/ws/", []) == 101

    names = [people[number % 2][0] for number in range(24)]
    await asyncio.gather(
        *(on_a_socket(name) for name in names),
        *(named(name) for name in names),
        *(asyncio.to_thread(on_a_page, name) for name in names),
        *(nobody() for _ in range(6)),
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_daphne_is_new_enough_to_refuse_control_bytes(lock: str) -> None:
    pinned = re.search(r"^daphne==(\d+)\.(\d+)\.(\d+)", (ROOT / lock).read_text(), re.MULTILINE)
    assert pinned
    assert tuple(map(int, pinned.groups())) >= (4, 2, 2)


def test_no_older_daphne_is_allowed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras["optional-dependencies"]["daphne"] == ["daphne>=4.2.2"]
