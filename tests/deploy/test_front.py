"""The site as people reach it: through nginx, and through Caddy, to two workers."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.project.body import BYTES
from tertulia.testing.client import Client, open_socket
from tertulia.testing.processes import wait_for
from tests.support.browser import Answer
from tests.support.classic import FORMS, ClassicClient

from .conftest import Site
from .fronts import HOST, URL, Front, SiteBrowser

WS = f"wss://{HOST}"

Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def connect(site: Site, front: Front) -> AsyncIterator[Connect]:
    """`connect()`: a socket of one and the same person, through the proxy."""
    token = site.token()
    async with AsyncExitStack() as stack:

        async def opened() -> Client:
            return await stack.enter_async_context(
                await Client.connect(WS, token=token, **front.way)
            )

        yield opened


@pytest.fixture(scope="module")
def visitor(account: tuple[str, str], front: Front) -> SiteBrowser:
    """Somebody who signed in through the proxy."""
    visitor = front.browser()
    visitor.sign_in(*account)
    assert visitor.signed_in
    return visitor


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def on_the_other(connect: Connect, not_on: int) -> Client:
    """A socket that a worker other than `not_on` serves: while that one is stopped, only the
    other answers. Some attempts may be handed to the one that is stopped, and wait for it."""
    attempts = [asyncio.ensure_future(connect()) for _ in range(6)]
    with stopped(not_on):
        done, _ = await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    await asyncio.gather(*attempts)
    assert done
    return done.pop().result()


async def test_people_on_different_workers_hear_each_other(site: Site, connect: Connect) -> None:
    first, second = site.workers()
    ana, bea = (
        await on_the_other(connect, second),
        await on_the_other(connect, first),
    )
    room = await ana.create("Through a proxy")
    await ana.subscribe(room)
    await bea.subscribe(room)
    await ana.say(room, "from one")
    await bea.say(room, "from the other")
    for each in (ana, bea):
        await each.reached(room, 3)


@pytest.mark.parametrize("form", FORMS[:3])
async def test_the_classic_protocol_passes(
    site: Site, front: Front, connect: Connect, form: str
) -> None:
    ana = await connect()
    room = await ana.create("Classic")
    await ana.subscribe(room)
    token = site.token()
    how = {**front.way, "token": token}
    async with await ClassicClient.connect(WS, room, form=form, **how) as classic:
        await classic.say("hola")
        await classic.hears("hola")
    event = await ana.expect("message.created")
    assert event["message"]["text"] == "hola"


async def test_the_echo_passes(front: Front) -> None:
    socket = await open_socket(f"{WS}/ws/socket/", origin=URL, **front.way)
    await socket.send("hola")
    assert await socket.recv() == "You said: hola"
    await socket.close()


async def test_a_large_frame_passes_both_ways(connect: Connect) -> None:
    ana = await connect()
    room = await ana.create("Large")
    await ana.subscribe(room)
    await ana.say(room, "ñ" * 10_000)
    event = await ana.expect("message.created")
    assert event["message"]["text"] == "ñ" * 10_000


def test_cookies_are_for_https_only(front: Front) -> None:
    answer = front.browser().get("/accounts/login/")
    assert answer.status == 200
    assert "Secure" in answer.headers["set-cookie"]


async def test_who_signed_in_is_known_on_a_socket(front: Front, visitor: SiteBrowser) -> None:
    connecting = Client.connect(WS, cookie=visitor.cookie, origin=URL, **front.way)
    async with await connecting as client:
        assert client.name == "visitor"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"http://{HOST}", f"{URL}:444", f"{URL}.evil.example"]
)
async def test_a_foreign_origin_is_refused(front: Front, visitor: SiteBrowser, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await Client.connect(WS, cookie=visitor.cookie, origin=origin, **front.way)
    assert refused.value.response.status_code == 403


def test_pages_come_with_what_they_need(visitor: SiteBrowser) -> None:
    page = visitor.get("/chat/")
    assert page.status == 200
    assert "content-security-policy" in page.headers
    assert page.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize("taken", ["gzip", "identity"])
def test_static_files_come_as_the_server_sends_them(site: Site, front: Front, taken: str) -> None:
    path, headers = "/static/tertulia/page/main.js", {"Accept-Encoding": taken}
    direct = Answers(site).get(path, **headers)
    through = front.browser().get(path, headers=headers)
    assert through.body == direct.body
    for name in ("etag", "cache-control", "vary", "content-type", "content-encoding"):
        assert through.headers.get(name) == direct.headers.get(name), name
    known = {**headers, "If-None-Match": direct.headers["etag"]}
    assert front.browser().get(path, headers=known).status == 304


class Answers:
    """The server itself, without a proxy."""

    def __init__(self, site: Site) -> None:
        self.port = site.server.port

    def get(self, path: str, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers={"Host": HOST, **headers})
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, named, response.read(), path)
        connection.close()
        return answer


def test_http_leads_to_https(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.plain, timeout=20)
    connection.request("GET", "/chat/lobby/?a=b", headers={"Host": HOST})
    response = connection.getresponse()
    connection.close()
    assert response.status in (301, 308)
    assert response.getheader("Location") == f"{URL}/chat/lobby/?a=b"


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/%6detrics", "//metrics", "/./metrics", "/chat/../metrics"]
)
def test_the_metrics_are_not_for_visitors(front: Front, path: str) -> None:
    """The server is not even asked, or has nothing there."""
    answer = front.browser().get(path, follow=False)
    assert answer.status == 404, path
    assert b"tertulia_" not in answer.body


def test_that_is_the_proxys_answer_and_not_the_servers(front: Front) -> None:
    refused, unknown = (front.browser().get(path) for path in ("/metrics", "/no/such/page"))
    assert unknown.status == 404
    assert "content-security-policy" in unknown.headers
    assert "content-security-policy" not in refused.headers


def test_nobody_is_whom_he_says_he_is(front: Front) -> None:
    """Links for a new password are counted by address: a new X-Forwarded-For each time makes
    nobody another, and somebody at another address is one."""

    def asks(visitor: SiteBrowser, number: int) -> bool:
        claim = f"192.0.2.{number}"
        page = visitor.get("/accounts/reset/")
        form = {
            "email": f"nobody-{front.name}-{number}@example.org",
            "csrfmiddlewaretoken": _csrf(page),
        }
        headers = {"X-Forwarded-For": claim, "X-Real-IP": claim, "Forwarded": f"for={claim}"}
        answer = visitor.request("POST", "/accounts/reset/", form=form, headers=headers)
        assert answer.status in (200, 429), answer.status
        return answer.status == 200

    # Each of two workers counts to 10.
    near = {"nginx": "127.0.0.3", "caddy": "127.0.0.4"}[front.name]
    admitted = [asks(front.browser(near), number) for number in range(24)]
    assert not all(admitted)
    assert sum(admitted) <= 22
    far = {"nginx": "127.0.0.5", "caddy": "127.0.0.6"}[front.name]
    assert asks(front.browser(far), 99)


def _csrf(page: Answer) -> str:
    return page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


def test_links_that_admit_are_in_no_log_while_the_server_is_away(front: Front) -> None:
    """The proxies note each request that they could not hand on, and the page one came from."""
    asked = [
        ("/accounts/setup/a-secret/", {}),
        ("/accounts/reset/MQ/a-secret/", {}),
        ("/chat/-/invitation/a-secret/", {}),
        ("/accounts/signup/?invite=a-secret&next=/chat/-/invitation/a-secret/", {}),
        ("/chat/", {"Referer": f"{URL}/accounts/setup/a-secret/"}),
        ("/chat/?the-last", {}),
    ]
    with front.without_server():
        # All at once: Caddy waits some seconds for the server.
        waiting = [front.browser().connection() for _ in asked]
        for connection, (path, headers) in zip(waiting, asked, strict=True):
            connection.request("GET", path, headers=headers)
        for connection in waiting:
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 502
            connection.close()
        wait_for(lambda: "the-last" in front.logs(), 5, "errors are logged")
    assert "a-secret" not in front.logs()


def test_a_form_on_a_page_that_is_not_logged_passes(front: Front) -> None:
    """It reaches the server whole, which refuses it for its want of a form's token."""
    way = "/accounts/signup/?invite=a-secret"
    form = {"username": "x" * 100_000}
    answer = front.browser().request("POST", way, form=form, follow=False)
    assert answer.status == 403
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(("more", "status"), [(0, 403), (1, 413)])
def test_the_limits_of_a_body_agree(front: Front, more: int, status: int) -> None:
    """What the server takes at most passes, to be refused for its want of a form's token."""
    connection = front.browser().connection()
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(BYTES + more)}
    connection.request("POST", "/accounts/login/", headers=headers)
    # Refused before it has come, it may be cut off.
    with suppress(OSError):
        connection.send(b"\0" * (BYTES + more))
    assert connection.getresponse().status == status
    connection.close()
