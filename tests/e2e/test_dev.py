"""`bin/dev`: a page that is open shows what was changed in the source, by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.support.dev import Dev

from .conftest import Meet

STYLE = "chat/static/tertulia/css/base.css"
PYTHON = "chat/templatetags/tertulia.py"


@pytest.fixture
def dev() -> Iterator[Dev]:
    made = Dev()
    made.start()
    yield made
    made.remove()


def reloads(page: Page, change: Callable[[], None]) -> None:
    """Change something until the page is another document.

    More than once, maybe: its listener takes the first version that it hears, a second after the
    page has been loaded, for the one that is shown. A change of Python starts the server anew, so a
    slow one is given more time with each.
    """
    page.evaluate("window.before = true")
    for seconds in (5, 5, 10, 20, 40):
        change()
        with contextlib.suppress(TimeoutError):
            page.wait_for_function("() => !window.before", timeout=1_000 * seconds)
            return
    raise AssertionError("the page did not reload")


def test_the_page_reloads_itself_and_is_connected_again(dev: Dev, meet: Meet) -> None:
    gala = meet(dev)
    gala.creates("Workshop")

    def restyle() -> None:
        dev.append(STYLE, "body { outline: 3px solid rgb(1, 2, 3); }")

    reloads(gala.page, restyle)
    expect(gala.page.locator("body")).to_have_css("outline-color", "rgb(1, 2, 3)")
    reloads(gala.page, lambda: dev.append(PYTHON, "# changed"))
    gala.says("hola")
    gala.sees("hola")
