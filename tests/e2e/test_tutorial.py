"""The tutorial's own page, in real browsers: by itself, and pointed at Tertulia unchanged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tertulia.testing.server import Server
from tests.support.tutorial import Tutorial

from .conftest import Meet
from .pages import PATIENCE


@pytest.fixture(scope="module")
def tutorial() -> Iterator[Tutorial]:
    """As its command starts it."""
    server = Tutorial().start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def tertulia(tutorial: Tutorial) -> Iterator[Server]:
    """A playground that admits the pages of the tutorial's server."""
    server = Server(open=True, env={"TERTULIA_CORS_ORIGINS": tutorial.url}).start()
    yield server
    server.remove()


def enters(page: Page, tutorial: Tutorial, room: str, query: str = "") -> None:
    """By the field for the room's name, as the documents tell it."""
    page.goto(f"{tutorial.url}/chat/{query}")
    page.locator("#room-name-input").fill(room)
    page.locator("#room-name-input").press("Enter")
    page.wait_for_url(f"**/chat/{room}/{query}")
    expect(page.locator("#chat-message-input")).to_be_focused()
    expect(page.locator("#chat-message-submit")).to_be_enabled(timeout=PATIENCE)


def says(page: Page, text: str) -> None:
    page.locator("#chat-message-input").fill(text)
    page.locator("#chat-message-submit").click()
    expect(page.locator("#chat-message-input")).to_have_value("")


def sees(page: Page, *lines: str) -> None:
    """What the log holds, from its beginning."""
    expect(page.locator("#chat-log")).to_have_value("".join(f"{line}\n" for line in lines))


def test_two_tabs_in_a_room_of_the_tutorial(meet: Meet, tutorial: Tutorial) -> None:
    first = meet(tutorial, known=False)
    second = meet(tutorial, known=False, viewport={"width": 390, "height": 844})
    enters(first.page, tutorial, "lobby")
    enters(second.page, tutorial, "lobby")
    says(first.page, "hola")
    sees(second.page, "guest: hola")
    second.page.locator("#chat-message-input").fill("  <b>hello</b> ")
    second.page.locator("#chat-message-input").press("Enter")
    for page in (first.page, second.page):
        sees(page, "guest: hola", "guest: <b>hello</b>")
    wide = second.page.evaluate("document.documentElement.scrollWidth")
    assert wide == 390
    # What was said before is nowhere in the page: the tutorial has no history.
    first.page.reload()
    expect(first.page.locator("#chat-message-submit")).to_be_enabled()
    sees(first.page)


def test_its_page_talks_through_tertulia_unchanged(
    meet: Meet, tutorial: Tutorial, tertulia: Server
) -> None:
    here = meet(tertulia, known=False)
    here.opens("lobby")
    there = meet(tutorial, known=False)
    enters(there.page, tutorial, "lobby", f"?server={tertulia.host}")
    expect(there.page.locator("#status")).to_contain_text(tertulia.host)
    says(there.page, "hola from the tutorial")
    message = here.sees("hola from the tutorial")
    name = message.locator(".author").inner_text()
    here.joins()
    here.says("and from Tertulia")
    expect(there.page.locator("#chat-log")).to_have_value(
        f"{name}: hola from the tutorial\n{_name(here.page)}: and from Tertulia\n"
    )


def _name(page: Page) -> str:
    """Of the guest whose page this is."""
    shown = page.locator("#tertulia-page").evaluate("element => JSON.parse(element.textContent)")
    return str(shown["me"]["name"])
