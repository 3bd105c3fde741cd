"""What the tests of invitations by mail ask for, and what they find in the mails."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from tertulia.testing.client import Client
from tertulia.testing.server import Server

from .browser import Answer, Browser
from .mailserver import Mail


async def connected(site: Server, browser: Browser) -> Client:
    return await Client.connect(site.ws, cookie=browser.cookie, origin=browser.origin)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def links(room: str) -> str:
    return f"/chat/-/rooms/{room}/invitations/"


def ask(browser: Browser, path: str, body: Any = None) -> Answer:
    headers = {"X-CSRFToken": browser.cookies["csrftoken"]}
    method = "GET" if body is None else "POST"
    return browser.request(method, path, json=body, headers=headers, follow=False)


def invites(browser: Browser, room: str, addresses: str, note: str = "") -> dict[str, Any]:
    """`sent`, `waiting` and `failed`, as the room's dialog is told."""
    answer = ask(browser, f"{links(room)}mail/", {"addresses": addresses, "note": note})
    assert answer.status == 200, answer.text
    told: dict[str, Any] = json.loads(answer.body)
    return told


def listed(browser: Browser, room: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(ask(browser, links(room)).body)["invitations"]
    return lines


def link_in(mail: Mail, site: Server) -> str:
    """The path of the one link; the HTML has it too, and no other."""
    found = re.findall(r"https?://\S+", mail.text)
    assert len(found) == 1, mail.text
    hrefs = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', mail.html)}
    assert hrefs == set(found)
    parts = urlsplit(found[0])
    assert f"{parts.scheme}://{parts.netloc}" == site.url
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def signs_up(site: Server, path: str, name: str, password: str) -> tuple[Browser, Answer]:
    """Follows the link; the page after the form."""
    browser = Browser(site.url)
    fields = {"username": name, "password1": password, "password2": password}
    return browser, browser.submit(path, fields, action="/accounts/signup/")
