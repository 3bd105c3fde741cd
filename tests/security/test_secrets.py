"""Statement 5: no token, password or session is in a line of the log, whatever happens to it.

Every flow that carries one is gone through as it should be and as an attacker or an accident would
have it. The announcement of the set-up link is for the operator's eyes and apart from the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tertulia.testing.client import Client, Closed, open_socket
from tertulia.testing.server import Server
from tests.project.test_password_reset import link_in, mail_to
from tests.support.browser import Browser
from tests.support.classic import ClassicClient

from .raw import exchange, upgrade
from .web import Visitor

PASSWORD, OTHER = "a quiet warm room", "another quiet room"
FORM = {"password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A new site, by invitation only; its mails go into a folder."""
    folder = tmp_path_factory.mktemp("mails")
    mail = f"file://{folder}?from=chat@example.org"
    server = Server(env={"TERTULIA_EMAIL_URL": mail}).start()
    yield server, folder
    server.remove()


async def mishandled(server: Server, path: str) -> None:
    """An address that holds a secret, asked for in every wrong way."""
    with Visitor(server) as visitor:
        for method in ("GET", "POST", "PUT", "DELETE"):
            visitor.ask(method, path, csrf=False)
            visitor.ask(method, path)
        visitor.get(f"{path}x/y")
        visitor.get(f"{path.rstrip('/')}%0d%0aX")
        visitor.ask("GET", path, Host="evil.example")
        visitor.ask("POST", path, Origin="http://evil.example")
    big = f"POST {path} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 99999999\r\n\r\n"
    for broken in (
        big.encode(),
        f"GET {path} HTTP/9.9\r\n\r\n".encode(),
        f"GET {path} HTTP/1.1\r\nHost: \x01\r\n\r\n".encode(),
        f"GET {path}\r\n\r\n".encode(),
        upgrade(server, path, []),
        upgrade(server, f"/ws/chat/lobby/?token={path}", [("Origin", "http://evil.example")]),
    ):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(exchange(server, broken), 2)


async def set_up(server: Server) -> tuple[str, Browser]:
    """The set-up link's token, and the administrator it has made."""
    printed = re.search(r"(/accounts/setup/\S+)", server.tail())
    assert printed
    path = printed[1]
    await mishandled(server, path)
    admin = Browser(server.url)
    admin.submit(path, {"username": "ana", "password1": "1", "password2": "2"})
    form = {"username": "ana", "email": "ana@example.org", **FORM}
    assert admin.submit(path, form).path == "/chat/"
    await mishandled(server, path)
    return path.rstrip("/").rpartition("/")[2], admin


async def invited(server: Server, admin: Browser) -> tuple[str, Browser]:
    """A site invitation's token, and whom it has admitted."""
    page = admin.submit("/accounts/invite/", {"uses": "1"})
    found = re.search(r"(/accounts/signup/\?invite=([\w-]+))", page.text)
    assert found
    await mishandled(server, found[1])
    bea = Browser(server.url)
    bea.submit(found[1], {"username": "bea", "password1": "1", "password2": "2"})
    assert bea.submit(found[1], {"username": "bea", **FORM}).path == "/chat/"
    await mishandled(server, found[1])
    return found[2], bea


async def forgotten(server: Server, folder: Path) -> str:
    """The token of a link for another password."""
    Browser(server.url).submit("/accounts/reset/", {"email": "ana@example.org"})
    path = urlsplit(link_in(mail_to(folder, "ana@example.org"))).path
    await mishandled(server, path)
    browser = Browser(server.url)
    form = {"new_password1": OTHER, "new_password2": OTHER}
    assert browser.submit(path, form).path == "/accounts/login/"
    await mishandled(server, path)
    return path.rstrip("/").rpartition("/")[2]


async def linked(server: Server, ana: Browser) -> str:
    """The token of a link into a room."""
    async with await Client.connect(server.ws, cookie=ana.cookie, origin=ana.origin) as client:
        room = await client.create("Linked", "private")
    headers = {"X-CSRFToken": ana.cookies["csrftoken"]}
    made = ana.request("POST", f"/chat/-/rooms/{room}/invitations/", headers=headers)
    found = re.search(r"/-/invitation/([\w-]+)/", made.text)
    assert found
    await mishandled(server, f"/chat/-/invitation/{found[1]}/")
    return found[1]


async def spoken_for(server: Server, token: str, made_up: str) -> None:
    """Bearer tokens, right and wrong, in their place and in every other."""
    async with await Client.connect(server.ws, token=token) as client:
        await client.send({"type": "auth", "token": made_up, "ref": made_up})
        assert (await client.closing()).code == 4401
    hows: list[dict[str, Any]] = [{"token": made_up}, {"auth": made_up}]
    for how in (*hows, {"token": f"{made_up}\t{token}"}):
        with pytest.raises((Closed, TimeoutError)):
            await Client.connect(server.ws, **how)
    async with await ClassicClient.connect(server.ws, "lobby", token=made_up) as classic:
        assert (await classic.closing()).code == 4401
    for path in (f"/ws/?token={token}", f"/ws/{token}/x/y", f"/ws/chat/{token}/?token={made_up}"):
        with contextlib.suppress(Exception):
            socket = await open_socket(server.ws + path)
            await socket.send(f'{{"type":"auth","token":["{token}"]}}')
            await socket.send(token)
            await socket.send(token.encode())
            await asyncio.wait_for(socket.wait_closed(), 2)
            await socket.close()
    await mishandled(server, f"/chat/?token={token}&access_token={made_up}")


async def test_no_secret_is_in_the_log(site: tuple[Server, Path]) -> None:
    server, folder = site
    began = server.log.stat().st_size
    made_up = secrets.token_urlsafe(32)
    setup, admin = await set_up(server)
    invitation, bea = await invited(server, admin)
    room_link = await linked(server, bea)
    token = await asyncio.to_thread(server.token, "bea")
    await spoken_for(server, token, made_up)
    Browser(server.url).sign_in("ana", "a wrong password")
    reset = await forgotten(server, folder)
    assert server.process
    server.process.stop()
    logged = server.tail(began, 10**9)
    assert logged.strip(), "nothing was logged: that proves nothing"
    secret = {
        "set-up link": setup, "invitation": invitation, "room link": room_link, "reset": reset,
        "bearer token": token, "a wrong token": made_up, "password": PASSWORD,
        "new password": OTHER, "a wrong password": "a wrong password",
        "session": bea.cookies["sessionid"], "CSRF token": bea.cookies["csrftoken"],
    }  # fmt: skip
    assert [name for name, value in secret.items() if value in logged] == []


async def test_addresses_that_hold_a_secret_are_told_to_no_other_site(
    site: tuple[Server, Path],
) -> None:
    """No page whose address is a secret lets the browser pass it on, and none loads from afar."""
    server, _ = site
    server.start()
    with Visitor(server) as visitor:
        for path in (
            "/accounts/setup/made-up/",
            "/accounts/signup/?invite=made-up",
            "/accounts/reset/MQ/made-up/",
            "/chat/-/invitation/made-up/",
        ):
            answer = await asyncio.to_thread(visitor.get, path)
            assert answer.headers["referrer-policy"] in ("same-origin", "strict-origin"), path
            assert "no-store" in answer.headers.get("cache-control", ""), path
            assert not re.search(r'(src|href)="(https?:)?//', answer.text), path
