"""Which pages may open a socket, and when the session cookie counts.

Sites that are let in by name are the subject of `project/test_cors.py`.
"""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.classic import FORMS, ClassicClient
from tests.support.people import Person

PASSWORD = "a quiet warm room"


@pytest.fixture(scope="module")
def browser(embedded: Server) -> Browser:
    """Somebody signed in."""
    embedded.createuser("originator", password=PASSWORD)
    browser = Browser(embedded.url)
    browser.sign_in("originator", PASSWORD)
    assert browser.signed_in
    return browser


def foreign(server: Server) -> list[str]:
    """Origins that are not the site's own, though some look like it."""
    port = server.port
    return [
        "http://evil.example",
        f"http://evil.example:{port}",
        "null",
        f"http://127.0.0.1:{port + 1}",
        "http://127.0.0.1",
        f"https://127.0.0.1:{port}",
        f"https://localhost:{port}",
        f"http://127.0.0.1.evil.example:{port}",
        f"http://localhost.evil.example:{port}",
        f"http://evil-127.0.0.1:{port}",
        f"http://127.0.0.1:{port}.evil.example",
        f"http://127.0.0.1:{port}@evil.example",
        f"http://evil.example/http://127.0.0.1:{port}",
        f"http://127.0.0.2:{port}",
        f"ftp://127.0.0.1:{port}",
        f"127.0.0.1:{port}",
        "*",
        "http://",
        "file://",
        f"http://127.0.0.1:{port}0",
        "http://[::1",
        f"http://127.0.0.1:{port} http://evil.example",
    ]


ORIGINS = range(22)


@pytest.mark.parametrize("number", ORIGINS)
async def test_a_foreign_origin_is_refused_before_the_upgrade(
    embedded: Server, browser: Browser, number: int
) -> None:
    origin = foreign(embedded)[number]
    with pytest.raises(InvalidStatus) as refused:
        await Client.connect(embedded.ws, cookie=browser.cookie, origin=origin)
    assert refused.value.response.status_code == 403, origin


@pytest.mark.parametrize("number", ORIGINS)
async def test_a_foreign_origin_is_refused_on_the_classic_addresses(
    embedded: Server, browser: Browser, number: int
) -> None:
    origin = foreign(embedded)[number]
    with pytest.raises(InvalidStatus) as refused:
        await ClassicClient.connect(embedded.ws, "lobby", cookie=browser.cookie, origin=origin)
    assert refused.value.response.status_code == 403, origin


def test_the_matrix_is_whole(embedded: Server) -> None:
    assert len(foreign(embedded)) == len(ORIGINS)


async def test_a_foreign_origin_is_refused_even_with_a_right_token(ana: Person) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await Client.connect(ana.server.ws, token=ana.token, origin="http://evil.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_the_sites_own_origin_and_the_cookie_say_who_speaks(
    embedded: Server, browser: Browser, host: str
) -> None:
    origin = f"http://{host}:{embedded.port}"
    async with await Client.connect(embedded.ws, cookie=browser.cookie, origin=origin) as client:
        assert client.name == "originator"


async def test_without_an_origin_the_cookie_is_ignored(embedded: Server, browser: Browser) -> None:
    client = await Client.connect(embedded.ws, cookie=browser.cookie, welcome=False)
    async with client:
        assert await client.refused("room.list") == "unauthenticated"


async def test_the_own_origin_without_a_cookie_is_nobody(embedded: Server) -> None:
    async with await Client.connect(embedded.ws, origin=embedded.url, welcome=False) as client:
        assert await client.refused("room.list") == "unauthenticated"


async def test_the_own_origin_and_a_made_up_cookie_is_nobody(embedded: Server) -> None:
    cookie = "sessionid=abcdefghijklmnopqrstuvwxyz012345"
    how = {"origin": embedded.url, "cookie": cookie, "welcome": False}
    async with await Client.connect(embedded.ws, **how) as client:
        assert await client.refused("room.list") == "unauthenticated"


async def test_a_token_needs_no_origin_and_may_have_the_own_one(ana: Person) -> None:
    for origin in (None, ana.server.url):
        client = await ana.connect(token=ana.token, origin=origin)
        assert client.name == ana.name


@pytest.mark.parametrize("form", FORMS)
async def test_classic_addresses_need_a_token_where_there_is_no_origin(
    embedded: Server, browser: Browser, form: str
) -> None:
    client = await ClassicClient.connect(embedded.ws, "lobby", form=form, cookie=browser.cookie)
    async with client:
        assert (await client.closing()).code == 4401


@pytest.mark.parametrize("address", ["http://chat.example.org:8443", "https://chat.example.org"])
async def test_the_public_address_is_the_sites_own_origin(address: str) -> None:
    server = Server(env={"TERTULIA_URL": address}).start()
    try:
        ((_, token),) = server.people(1, batch=1)
        headers = {"Host": address.split("//")[1]}
        how = {"token": token, "headers": headers}
        async with await Client.connect(server.ws, origin=address, **how):
            pass
        scheme = "http" if address.startswith("https") else "https"
        wrong = scheme + "://" + address.split("//")[1]
        for origin in (wrong, address + ":444" if address.count(":") == 1 else wrong):
            with pytest.raises(InvalidStatus) as refused:
                await Client.connect(server.ws, origin=origin, **how)
            assert refused.value.response.status_code == 403
    finally:
        server.remove()


async def test_a_foreign_host_header_is_refused(ana: Person) -> None:
    with pytest.raises((InvalidStatus, Closed)) as refused:
        await Client.connect(
            ana.server.ws, token=ana.token, headers={"Host": "evil.example"},
            origin="http://evil.example",
        )  # fmt: skip
    assert isinstance(refused.value, InvalidStatus)
    assert refused.value.response.status_code in (400, 403)
