"""Real Chromium against the real command: each person has a browser context of his own."""

from __future__ import annotations

import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.server import Server

from .pages import Person

PASSWORD = "a quiet warm room"
Meet = Callable[..., Person]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium; nothing is downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, "there is no Chromium: install it, or set CHROMIUM to its path"
    return {
        "executable_path": found,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    }


class Watched:
    """A browser context whose faults are gathered: script errors and refusals of the policy."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.faults: list[str] = []

    def page(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        return page

    def _said(self, kind: str, text: str) -> None:
        # That the server is away is the matter of some tests, and no fault of the page.
        if kind == "error" and "ERR_CONNECTION" not in text and "WebSocket" not in text:
            self.faults.append(text)


@pytest.fixture
def meet(browser: Browser) -> Iterator[Meet]:
    """`meet(server)`: somebody new with an account, signed in; `meet(server, known=False)`: a
    person at a browser, not signed in. Fails when a page had a fault."""
    opened: list[Watched] = []

    def new(server: Server, *, known: bool = True, locale: str = "en-GB", **how: Any) -> Person:
        watched = Watched(browser.new_context(locale=locale, **how))
        opened.append(watched)
        person = Person(watched.page(), server.url)
        if known:
            name = f"e{next(_numbers)}"
            server.createuser(name, password=PASSWORD)
            person.signs_in(name, PASSWORD)
        return person

    yield new
    for watched in opened:
        watched.context.close()
    faults = [fault for watched in opened for fault in watched.faults]
    assert faults == []


@pytest.fixture(scope="session")
def regulars(embedded: Server, browser: Browser) -> dict[str, Any]:
    """Two people who have signed in once: name to what their browsers keep."""
    kept: dict[str, Any] = {}
    for name in ("Ana", "Bea"):
        embedded.createuser(name, password=PASSWORD)
        with browser.new_context(locale="en-GB") as context:
            Person(context.new_page(), embedded.url).signs_in(name, PASSWORD)
            kept[name] = context.storage_state()
    return kept


def _regular(meet: Meet, server: Server, regulars: dict[str, Any], name: str) -> Person:
    person = meet(server, known=False, storage_state=regulars[name])
    person.name = name
    person.goes_home()
    return person


@pytest.fixture
def ana(meet: Meet, embedded: Server, regulars: dict[str, Any]) -> Person:
    """Signed in already; tests that sign out, or count, meet somebody new instead."""
    return _regular(meet, embedded, regulars, "Ana")


@pytest.fixture
def bea(meet: Meet, embedded: Server, regulars: dict[str, Any]) -> Person:
    return _regular(meet, embedded, regulars, "Bea")


def set_up_link(server: Server) -> str:
    """The last set-up link that the server printed."""
    links = re.findall(r"http://\S+/setup/\S+", server.tail())
    assert links, "no set-up link was printed"
    return str(links[-1])
