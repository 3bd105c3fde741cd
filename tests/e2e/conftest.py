"""Real Chromium against the real command: each person has a browser context of his own."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tertulia.testing.server import Server

from .pages import Person

PASSWORD = "a quiet warm room"
# Two browsers, a server and other tests share two cores; whoever waits in vain fails all the same.
expect.set_options(timeout=15_000)
Meet = Callable[..., Person]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The system's Chromium; nothing is downloaded. Without its windows, where Debian has it so:
    the same engine, and a page takes half of the time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    assert found, "there is no Chromium: install it, or set CHROMIUM to its path"
    return {
        "executable_path": found,
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
    }


# How a browser says that nobody answers, or stopped in the middle of an answer.
AWAY = (
    *("ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED", "ERR_EMPTY_RESPONSE", "WebSocket"),
    *("ERR_CONTENT_LENGTH_MISMATCH", "ERR_INCOMPLETE_CHUNKED_ENCODING"),
)


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
        if kind == "error" and not any(sign in text for sign in AWAY):
            self.faults.append(text)


class Computer:
    """One person's browser with a folder on the disk: it can be closed and started anew."""

    def __init__(self, playwright: Playwright, launch: dict[str, Any], folder: Path) -> None:
        self._browser = playwright.chromium
        self._launch = launch
        self._folder = folder
        self._context: BrowserContext | None = None
        self.faults: list[str] = []

    def page(self) -> Page:
        if self._context is None:
            self._context = self._browser.launch_persistent_context(
                self._folder, locale="en-GB", **self._launch
            )
        watched = Watched(self._context)
        watched.faults = self.faults
        return watched.page()

    def closes_the_browser(self) -> None:
        if self._context:
            self._context.close()
        self._context = None


@pytest.fixture
def computer(
    playwright: Playwright, browser_type_launch_args: dict[str, Any], tmp_path: Path
) -> Iterator[Computer]:
    computer = Computer(playwright, browser_type_launch_args, tmp_path / "profile")
    yield computer
    computer.closes_the_browser()
    assert computer.faults == []


class Newcomers:
    """Accounts and their sessions, made a dozen at a time: starting Django for each, and signing
    in by the page, would take longer than most tests."""

    CODE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
password = make_password({password!r})
made = []
for name in {names!r}:
    user = get_user_model().objects.create(username=name, password=password)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    made.append((name, session.session_key))
print(json.dumps(made))
"""

    def __init__(self) -> None:
        self._ready: dict[str, list[tuple[str, str]]] = {}

    def take(self, server: Server) -> tuple[str, str]:
        """A name that nobody else has, and the key of a session of that account."""
        ready = self._ready.setdefault(str(server.data), [])
        if not ready:
            names = [f"e{next(_numbers)}" for _ in range(12)]
            made = server.shell(self.CODE.format(password=PASSWORD, names=names))
            ready += json.loads(made.strip().splitlines()[-1])
        return ready.pop(0)


@pytest.fixture(scope="session")
def newcomers() -> Newcomers:
    return Newcomers()


@pytest.fixture
def meet(browser: Browser, newcomers: Newcomers) -> Iterator[Meet]:
    """`meet(server)`: somebody new with an account, signed in; `meet(server, known=False)`: a
    person at a browser, not signed in. Fails when a page had a fault."""
    opened: list[Watched] = []

    def new(server: Server, *, known: bool = True, locale: str = "en-GB", **how: Any) -> Person:
        watched = Watched(browser.new_context(locale=locale, **how))
        opened.append(watched)
        person = Person(watched.page(), server.url)
        if known:
            person.name, session = newcomers.take(server)
            cookie = {"name": "sessionid", "value": session, "url": server.url}
            watched.context.add_cookies([cookie])  # type: ignore[list-item]
            person.goes_home()
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
    somebody = meet(server, known=False, storage_state=regulars[name])
    return Person(somebody.page, server.url, name, outside=True)


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
