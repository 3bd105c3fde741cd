"""The ready-made site under each ASGI server: the same pages, sockets and refusals."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.testing.client import Client, open_socket
from tertulia.testing.server import Server
from tests.support.asgi import KINDS, AsgiServer
from tests.support.browser import Browser
from tests.support.classic import FORMS, ClassicClient

PASSWORD = "a quiet warm room"


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """One data folder, which the servers take over from one another; never started itself."""
    made = Server()
    assert made.cli("migrate").returncode == 0
    made.createuser("carla", password=PASSWORD)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def tokens(site: Server) -> dict[str, str]:
    """Ana's and Bea's."""
    (_, ana), (_, bea) = site.people(2, batch=2)
    return {"ana": ana, "bea": bea}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, site: Server) -> Iterator[AsgiServer]:
    made = AsgiServer(request.param, data=site.data)
    made.start()
    yield made
    made.remove()


def test_pages_static_files_and_health(server: AsgiServer) -> None:
    browser = Browser(server.url)
    page = browser.get("/accounts/login/")
    assert page.status == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    script = browser.get("/static/tertulia/page/main.js")
    assert script.status == 200
    assert script.headers["content-type"].startswith("text/javascript")
    assert browser.get("/no/such/page").status == 404
    assert "ok" in browser.get("/healthz").text
    assert browser.get("/readyz").status == 200


async def test_who_signs_in_by_the_page_speaks_by_the_socket(server: AsgiServer) -> None:
    browser = Browser(server.url)
    await asyncio.to_thread(browser.sign_in, "carla", PASSWORD)
    assert "carla" in (await asyncio.to_thread(browser.get, "/chat/")).text
    async with await Client.connect(server.ws, cookie=browser.cookie, origin=server.url) as client:
        assert client.name == "carla"
        await asyncio.to_thread(browser.submit, "/chat/", {}, action="/accounts/logout/")
        assert (await client.closing()).code == 4401


async def test_protocol_1_both_ways_and_a_resume(
    server: AsgiServer, tokens: dict[str, str]
) -> None:
    ana = await Client.connect(server.ws, token=tokens["ana"])
    bea = await Client.connect(server.ws, token=tokens["bea"])
    async with ana:
        room = await ana.create("Under this server", members=[bea.id])
        await ana.subscribe(room)
        await bea.subscribe(room)
        sent = await ana.say(room, "hola, ñandú 👍")
        view = await bea.reached(room, sent["seq"])
        await bea.say(room, "buenas")
        await ana.reached(room, sent["seq"] + 1)
        await bea.reached(room, sent["seq"] + 1)
        await bea.vanish()
        for number in range(20):
            await ana.say(room, f"missed {number}")
        async with await Client.connect(server.ws, token=tokens["bea"]) as again:
            result = await again.resume(room, view)
            assert "reset" not in result
            missed = [f"missed {number}" for number in range(20)]
            assert again.views[room].texts() == ["hola, ñandú 👍", "buenas", *missed]


@pytest.mark.parametrize("form", FORMS[:3])
async def test_the_classic_protocol_and_protocol_1_in_one_room(
    server: AsgiServer, tokens: dict[str, str], form: str
) -> None:
    async with await Client.connect(server.ws, token=tokens["ana"]) as ana:
        room = await ana.create("Both")
        await ana.subscribe(room)
        how = {"token": tokens["bea"], "form": form}
        async with await ClassicClient.connect(server.ws, room, **how) as classic:
            await classic.say("from the tutorial")
            await classic.hears("from the tutorial")
            await ana.say(room, "from protocol 1")
            assert (await classic.hears("from protocol 1"))["username"] == ana.name
        view = await ana.reached(room, 4)
        assert view.texts() == ["from the tutorial", "from protocol 1"]


async def test_the_echo(server: AsgiServer) -> None:
    socket = await open_socket(server.ws + "/ws/socket/")
    await socket.send("hola, ñandú")
    assert await asyncio.wait_for(socket.recv(), 10) == "You said: hola, ñandú"
    await socket.close()


@pytest.mark.parametrize("path", ["/ws/", "/ws/chat/lobby/", "/ws/socket/"])
async def test_a_foreign_origin_is_refused_before_the_upgrade(
    server: AsgiServer, tokens: dict[str, str], path: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(server.ws + path, token=tokens["ana"], origin="http://evil.example")
    assert refused.value.response.status_code == 403


async def test_wrong_tokens_and_binary_frames_have_their_close_codes(
    server: AsgiServer, tokens: dict[str, str]
) -> None:
    async with await Client.connect(server.ws, token="made-up", welcome=False) as client:
        assert (await client.closing()).code == 4401
    async with await Client.connect(server.ws, token=tokens["ana"]) as client:
        await client.socket.send(b"\x00")
        assert (await client.closing()).code == 4400


async def test_told_to_stop_it_tells_its_sockets(
    server: AsgiServer, tokens: dict[str, str]
) -> None:
    """Last: it ends the server."""
    client = await Client.connect(server.ws, token=tokens["ana"])
    assert server.process
    server.process.send(signal.SIGTERM)
    closed = await client.closing()
    status = await asyncio.to_thread(server.process.popen.wait, 15)
    # hypercorn cancels its connections' tasks and logs that they were.
    assert server.kind == "hypercorn" or "Traceback" not in server.tail()
    if server.kind == "serve":
        assert (status, closed.code) == (0, 1012)
        assert json.loads(closed.reason)["retry_after"] > 0
    elif server.kind.startswith("uvicorn"):
        assert closed.code == 1012
    else:
        # These end as they can, with a word or without; a client connects again.
        assert closed.code in (1001, 1006, 1011)
