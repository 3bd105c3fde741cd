"""TERTULIA_PROXIES: whose word counts for who the client is, on pages and on sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from tertulia.project.environment import SettingsError, read
from tertulia.project.proxies import with_proxies
from tertulia.testing.client import open_socket
from tertulia.testing.processes import free_port
from tertulia.testing.server import Server
from tests.support.asgi import AsgiServer
from tests.support.browser import Browser

from .conftest import Run, check_refused

# The proxy, and somebody whom nobody named: the loopback has more addresses than one.
PROXY, STRANGER = "127.0.0.1", "127.0.0.2"
# Who asks more often than this for a new password, or says so much that is malformed, is told
# to wait, by address.
RESETS, MALFORMED = 10, 100

_numbers = count(1)


@pytest.fixture(scope="module", params=["serve", "daphne"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = AsgiServer(request.param, env={"TERTULIA_PROXIES": f"{PROXY}, 10.0.0.0/8"})
    assert made.cli("migrate").returncode == 0
    made.start()
    yield made
    made.remove()


@dataclass
class Caller:
    """Somebody at the address `peer`, who says of himself what `headers` hold."""

    server: Server
    peer: str
    headers: dict[str, str]

    @classmethod
    def at(cls, server: Server, peer: str, forwarded: str = "", proto: str = "") -> Caller:
        said = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": proto}
        return cls(server, peer, {name: value for name, value in said.items() if value})

    def browser(self) -> Browser:
        return Browser(self.server.url, peer=self.peer, always=self.headers)

    async def socket(self, path: str = "/ws/", **how: Any) -> ClientConnection:
        how.setdefault("headers", self.headers)
        return await open_socket(self.server.ws + path, local_addr=(self.peer, 0), **how)

    def asks_too_often(self, times: int = 1) -> bool:
        """Ask that often for a new password; whether the last answer was to wait."""
        browser = self.browser()
        mails = [f"nobody-{next(_numbers)}@example.org" for _ in range(times)]
        return [browser.submit("/accounts/reset/", {"email": m}).status for m in mails][-1] == 429

    async def babbles_too_much(self, frames: int) -> bool:
        """Send that many malformed frames; whether some were refused for the rate."""
        socket = await self.socket()
        for _ in range(frames):
            await socket.send("no JSON")
        answers = [json.loads(await socket.recv()) for _ in range(frames)]
        await socket.close()
        return any(answer["error"]["code"] == "rate_limited" for answer in answers)


def test_pages_count_those_behind_a_named_proxy_each_by_himself(server: Server) -> None:
    assert Caller.at(server, PROXY, "203.0.113.1").asks_too_often(RESETS + 1)
    assert not Caller.at(server, PROXY, "203.0.113.2").asks_too_often()
    # The left end is whatever the client wrote there, the right end what proxies saw.
    assert Caller.at(server, PROXY, "198.51.100.9, 203.0.113.1").asks_too_often()
    assert Caller.at(server, PROXY, "203.0.113.1, 10.1.2.3").asks_too_often()
    assert Caller.at(server, PROXY, "203.0.113.1:52044").asks_too_often()


def test_a_stranger_gains_nothing_on_pages_by_another_address_each_time(server: Server) -> None:
    for number in range(RESETS):
        assert not Caller.at(server, STRANGER, f"198.51.100.{number}").asks_too_often()
    assert Caller.at(server, STRANGER, "198.51.100.200").asks_too_often()
    # Nor does he use up what those have whose address he claims.
    assert not Caller.at(server, PROXY, "198.51.100.200").asks_too_often()


async def test_sockets_count_those_behind_a_named_proxy_each_by_himself(server: Server) -> None:
    assert await Caller.at(server, PROXY, "203.0.113.3").babbles_too_much(2 * MALFORMED)
    assert not await Caller.at(server, PROXY, "203.0.113.4").babbles_too_much(5)
    assert await Caller.at(server, PROXY, "192.0.2.7, 203.0.113.3").babbles_too_much(MALFORMED)
    # One network of IPv6, which one person has, counts as one.
    assert await Caller.at(server, PROXY, "2001:db8:1:2::5").babbles_too_much(2 * MALFORMED)
    assert await Caller.at(server, PROXY, "[2001:db8:1:2::6]:443").babbles_too_much(MALFORMED)
    assert not await Caller.at(server, PROXY, "2001:db8:1:3::5").babbles_too_much(5)


async def test_a_stranger_gains_nothing_on_sockets_by_another_address(server: Server) -> None:
    assert await Caller.at(server, STRANGER, "198.51.100.77").babbles_too_much(2 * MALFORMED)
    assert await Caller.at(server, STRANGER, "198.51.100.78").babbles_too_much(MALFORMED)
    assert not await Caller.at(server, PROXY, "198.51.100.77").babbles_too_much(5)


@pytest.mark.parametrize(("peer", "believed"), [(PROXY, True), (STRANGER, False)])
async def test_https_is_believed_of_a_named_proxy_only(
    server: Server, peer: str, believed: bool
) -> None:
    """Then the site's own origin is https://, for the forms of pages and for sockets."""
    caller = Caller.at(server, peer, "203.0.113.9", "https")
    secure = server.url.replace("http:", "https:")
    browser = caller.browser()
    browser.get("/accounts/reset/")
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "email": "x"}
    for origin, right in ((secure, believed), (server.url, not believed)):
        headers = {"Origin": origin, "Referer": origin + "/accounts/reset/"}
        answer = browser.request("POST", "/accounts/reset/", form=form, headers=headers)
        assert (answer.status == 200) is right, (origin, answer.status)
        for path in ("/ws/", "/ws/socket/"):
            if right:
                await (await caller.socket(path, origin=origin)).close()
                continue
            with pytest.raises(InvalidStatus) as refused:
                await caller.socket(path, origin=origin)
            assert refused.value.response.status_code == 403


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "Forwarded", "X-Forwarded-Port", "X-Real-IP"])
async def test_no_other_header_counts_even_of_a_named_proxy(server: Server, name: str) -> None:
    said = {"Forwarded": "for=203.0.113.5;host=evil.example;proto=https"}.get(name, "evil.example")
    caller = Caller(server, PROXY, {name: said})
    for origin in ("http://evil.example", server.url.replace("http:", "https:")):
        with pytest.raises(InvalidStatus) as refused:
            await caller.socket(origin=origin)
        assert refused.value.response.status_code == 403
    answer = await asyncio.to_thread(caller.browser().get, "/chat/", follow=False)
    assert answer.headers["location"].startswith("/accounts/login/")


def test_a_proxy_that_is_not_named_is_told_of_once(embedded: Server) -> None:
    """By default none is: all who come through it would count as one address."""
    for number in range(3):
        Caller.at(embedded, "127.0.0.3", f"203.0.113.{number}").browser().get("/accounts/login/")
    Caller.at(embedded, PROXY).browser().get("/accounts/login/")
    # In all of the server's life: another test may have been the first to send such a header.
    lines = [each for each in embedded.log.read_text().splitlines() if "TERTULIA_PROXIES" in each]
    assert len(lines) == 1
    assert "127.0.0." in lines[0]


# The chain, without a server

NAMED = "127.0.0.1, 10.0.0.0/8, 2001:db8:5::/48, unix"


def seen(named: str, peer: tuple[str, int] | None, kind: str = "http", **said: str) -> Any:
    """The scope that the application sees."""
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)

    headers = [(f"x-forwarded-{k[:-1] if k[-1] in '12' else k}".encode(), v.encode("latin-1"))
               for k, v in said.items()]  # fmt: skip
    scope: dict[str, Any] = {"type": kind, "client": peer, "headers": headers, "extensions": {}}
    if kind == "http":
        scope["scheme"] = "http"
    proxied = with_proxies(application, read({"TERTULIA_PROXIES": named}).proxies)
    asyncio.run(proxied(scope, None, None))
    return scopes[0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.2.2.2 ,127.0.0.1", "203.0.113.7"),
        ("10.0.0.1", "10.9.9.9, 10.2.2.2", "10.9.9.9"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, _hidden, 10.2.2.2", "10.2.2.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("10.0.0.1", "evil\xff<script>", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7:99999999", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:80", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0::7", "2001:db8::7"),
        ("10.0.0.1", "fe80::1%a-very-long-name", "fe80::1"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, ::ffff:10.2.2.2", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:5::1", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:6::1", "203.0.113.7", "2001:db8:6::1"),
        ("11.0.0.1", "203.0.113.7", "11.0.0.1"),
        ("11.0.0.1", "10.0.0.1", "11.0.0.1"),
        ("127.0.0.2", "203.0.113.7", "127.0.0.2"),
        ("not-an-address", "203.0.113.7", "not-an-address"),
        (None, "203.0.113.7", "203.0.113.7"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_nearest_address_that_is_no_proxys(
    kind: str, peer: str | None, forwarded: str, client: str
) -> None:
    scope = seen(NAMED, (peer, 5000) if peer else None, kind, **{"for": forwarded})
    assert scope["client"][0] == client
    assert isinstance(scope["client"][1], int)


def test_a_chain_in_several_headers_is_one() -> None:
    scope = seen(NAMED, ("10.0.0.1", 1), for1="6.6.6.6, 203.0.113.7", for2="10.2.2.2")
    assert scope["client"][0] == "203.0.113.7"


def test_a_unix_socket_is_no_proxy_unless_named() -> None:
    assert seen("127.0.0.1", None, **{"for": "203.0.113.7"})["client"] is None
    assert seen("127.0.0.1", ("", 0), **{"for": "203.0.113.7"})["client"] == ("", 0)


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("https", 1), ("HTTPS", 1), ("wss", 1), ("http", 0), ("https, http", 0), ("http, https", 1),
     ("javascript", 0), ("", 0)],
)  # fmt: skip
def test_the_scheme_is_the_proxys_last_word(said: str, scheme: int) -> None:
    scope = seen(NAMED, ("10.0.0.1", 1), proto=said)
    assert scope["scheme"] == ("http", "https")[scheme]
    scope = seen(NAMED, ("10.0.0.1", 1), "websocket", proto=said)
    assert scope.get("scheme", "ws") == ("ws", "wss")[scheme]


def test_nobody_is_named_by_default() -> None:
    for peer in ("127.0.0.1", "::1", "10.0.0.1"):
        scope = seen("", (peer, 1), **{"for": "203.0.113.7", "proto": "https"})
        assert (scope["client"][0], scope["scheme"]) == (peer, "http")


@pytest.mark.parametrize(
    "value",
    [
        *("proxy.example.org", "10.0.0.0/33", "10.0.0.1/8", "*", "127.0.0.1:80", "127.0.0.1 ::1"),
        *("0.0.0.0/0", "::/0", "::ffff:10.0.0.1", "10.0.0.1, http://10.0.0.2", "UNIX", "1"),
    ],
)
def test_what_names_no_proxy_is_refused_in_one_line(value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read({"TERTULIA_PROXIES": value})
    assert "TERTULIA_PROXIES" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_says_so_in_one_line(run: Run) -> None:
    done = run("serve", "--port", str(free_port()), TERTULIA_PROXIES="my-proxy")
    check_refused(done, "TERTULIA_PROXIES", "my-proxy")
