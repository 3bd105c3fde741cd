"""TERTULIA_CORS_ORIGINS: what pages of other sites may do, by REST and by sockets alike.

There is no REST yet: its addresses answer 404, with the headers that are for other sites.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.project.environment import SettingsError, read
from tertulia.testing.client import Client, open_socket
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser
from tests.support.classic import ClassicClient

NAMED = ("https://a.example", "http://b.example:81")
FOREIGN = (
    "https://evil.example",
    "http://a.example",
    "https://a.example:444",
    "https://b.example:81",
    "https://sub.a.example",
    "https://a.example.evil.example",
    "null",
)
# Where REST will be.
ADDRESS = "/api/v1/rooms"
PASSWORD = "a quiet warm room"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Two other sites are named; as people write them, with blanks and a default port."""
    made = Server(env={"TERTULIA_CORS_ORIGINS": " https://A.example:443/ , http://b.example:81,"})
    made.start()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.people(1, batch=1)[0][1]


@pytest.fixture(scope="module")
def carla(server: Server) -> Browser:
    """Somebody signed in."""
    server.createuser("carla", password=PASSWORD)
    browser = Browser(server.url)
    browser.sign_in("carla", PASSWORD)
    assert browser.signed_in
    return browser


def ask(server: Server, origin: str | None, path: str = ADDRESS, **headers: str) -> Answer:
    """A GET, as a page of this origin sends it."""
    sent = {"Origin": origin} if origin else {}
    return Browser(server.url).get(path, headers={**sent, **headers}, follow=False)


def preflight(server: Server, origin: str, method: str = "PATCH", path: str = ADDRESS) -> Answer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return Browser(server.url).request("OPTIONS", path, headers=headers)


def listed(answer: Answer, name: str) -> set[str]:
    return {each.strip().lower() for each in answer.headers.get(name, "").split(",")}


def told(answer: Answer) -> set[str]:
    """Everything that the answer says of other sites."""
    return {name for name in answer.headers if name.startswith("access-control-")}


# REST's addresses


@pytest.mark.parametrize("origin", NAMED)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_preflight_of_a_named_site(server: Server, origin: str, method: str) -> None:
    answer = preflight(server, origin, method)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert method.lower() in listed(answer, "access-control-allow-methods")
    assert listed(answer, "access-control-allow-headers") >= {"authorization", "content-type"}
    assert int(answer.headers["access-control-max-age"]) <= 3600
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in listed(answer, "vary")


@pytest.mark.parametrize("origin", NAMED)
def test_a_named_site_may_read_that_there_is_no_rest_yet(
    server: Server, token: str, origin: str
) -> None:
    answer = ask(server, origin, Authorization=f"Bearer {token}")
    assert answer.status == 404
    assert answer.headers["access-control-allow-origin"] == origin
    assert listed(answer, "access-control-expose-headers") == {"retry-after"}
    assert "access-control-allow-credentials" not in answer.headers
    assert "origin" in listed(answer, "vary")


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_sites_are_told_nothing(server: Server, origin: str) -> None:
    for answer in (ask(server, origin), preflight(server, origin)):
        assert told(answer) == set()
        # Else a cache could give a named site the answer without the header.
        assert "origin" in listed(answer, "vary")


def test_without_an_origin_the_answer_still_varies(server: Server) -> None:
    answer = ask(server, None)
    assert told(answer) == set()
    assert "origin" in listed(answer, "vary")


@pytest.mark.parametrize("path", ["/chat/", "/accounts/login/", "/healthz", "/admin/login/"])
def test_only_rest_is_for_other_sites(server: Server, path: str) -> None:
    for answer in (ask(server, NAMED[0], path), preflight(server, NAMED[0], "POST", path)):
        assert told(answer) == set()


def test_by_default_no_site_is_named(embedded: Server) -> None:
    for answer in (ask(embedded, NAMED[0]), preflight(embedded, NAMED[0])):
        assert told(answer) == set()


@pytest.mark.parametrize("origin", [NAMED[0], "https://evil.example"])
def test_another_site_posts_no_form_with_somebodys_cookie(
    server: Server, carla: Browser, origin: str
) -> None:
    """Named or not, and even with the right CSRF token."""
    form = {"csrfmiddlewaretoken": carla.cookies["csrftoken"]}
    headers = {"Origin": origin, "Referer": origin + "/"}
    answer = carla.request("POST", "/accounts/logout/", form=form, headers=headers)
    assert answer.status == 403
    assert carla.get("/chat/").path == "/chat/"


# Sockets


@pytest.mark.parametrize("origin", NAMED)
async def test_a_named_site_opens_sockets(
    server: Server, token: str, carla: Browser, origin: str
) -> None:
    """By token; and the cookie counts, where a browser sends it: from a sister domain."""
    async with await Client.connect(server.ws, token=token, origin=origin):
        pass
    async with await Client.connect(server.ws, cookie=carla.cookie, origin=origin) as client:
        assert client.name == "carla"
        room = await client.create()
    how = {"cookie": carla.cookie, "origin": origin}
    async with await ClassicClient.connect(server.ws, room, **how) as classic:
        await classic.say("hola")
        assert (await classic.hears("hola"))["username"] == "carla"


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/ws/", "/ws/lobby", "/ws/socket/"])
async def test_other_sites_open_no_sockets(
    server: Server, token: str, origin: str, path: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(server.ws + path, token=token, origin=origin)
    assert refused.value.response.status_code == 403


# Every site, and wrong values


async def test_a_playground_may_be_open_to_every_site() -> None:
    server = Server(open=True, env={"TERTULIA_CORS_ORIGINS": "*"})
    try:
        await asyncio.to_thread(server.start)
        for answer in (
            ask(server, "https://any.example"),
            preflight(server, "https://any.example"),
        ):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
        async with await Client.connect(server.ws, origin="https://any.example") as client:
            assert client.welcome["me"]["kind"] == "guest"
    finally:
        server.remove()


@pytest.mark.parametrize(
    "value",
    [
        *("*", "https://a.example, *", "a.example", "//a.example", "ftp://a.example", "null"),
        *("https://a.example/page", "https://a.example?x", "https://u:geheim@a.example"),
        *("https://a.example:notaport", "https://*.a.example", "https://", "https://a b.example"),
    ],
)
def test_what_is_no_origin_is_refused_in_one_line(value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read({"TERTULIA_CORS_ORIGINS": value})
    assert "TERTULIA_CORS_ORIGINS" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "geheim" not in str(refused.value)
