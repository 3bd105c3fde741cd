"""Light or dark: chosen for a device, and in the page before anything is drawn."""

from __future__ import annotations

import re

import pytest

from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser

SETTINGS = "/chat/-/settings/"
APPEARANCE = "/chat/-/settings/appearance/"
COOKIE = "tertulia_theme"
PLAIN = "/accounts/login/"


@pytest.fixture
def visitor(playground: Server) -> Browser:
    """A guest: the choice is that of the device, so nobody needs an account for it."""
    return Browser(playground.url)


def choose(browser: Browser, theme: str, *, follow: bool = True) -> Answer:
    token = browser.get(SETTINGS).text
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', token)
    assert found
    form = {"csrfmiddlewaretoken": found[1], "theme": theme}
    return browser.request("POST", APPEARANCE, form=form, follow=follow)


def root(page: str) -> str:
    found = re.search(r"<html[^>]*>", page)
    assert found
    return found[0]


def colours(page: str) -> list[str]:
    return re.findall(r'<meta name="(?:color-scheme|theme-color)" content="([^"]+)"', page)


def test_at_first_as_the_device_says(visitor: Browser) -> None:
    for path in (PLAIN, "/chat/", "/nothing/"):
        page = visitor.get(path).text
        assert "data-theme" not in root(page), path
        assert colours(page) == ["light dark", "#faf6ef", "#201c18"]
        assert page.count("prefers-color-scheme") == 2


@pytest.mark.parametrize(("theme", "surface"), [("light", "#faf6ef"), ("dark", "#201c18")])
def test_the_choice_is_on_every_page(visitor: Browser, theme: str, surface: str) -> None:
    assert choose(visitor, theme).status == 200
    for path in (PLAIN, "/chat/", "/chat/lobby/", SETTINGS, "/nothing/"):
        page = visitor.get(path).text
        assert f'data-theme="{theme}"' in root(page), path
        assert colours(page) == [theme, surface], path
    checked = re.findall(r'<input type="radio"[^>]*checked[^>]*>', visitor.get(SETTINGS).text)
    assert [f'value="{theme}"' in each for each in checked] == [True]


def test_the_cookie_lasts_a_year_and_goes_nowhere_else(visitor: Browser) -> None:
    header = choose(visitor, "dark", follow=False).headers["set-cookie"]
    attributes = {part.strip().lower() for part in header.split(";")[1:]}
    assert header.startswith(f"{COOKIE}=dark")
    assert {"samesite=lax", "httponly", "max-age=31536000", "path=/"} <= attributes


@pytest.mark.parametrize("theme", ["", "purple", 'dark" onload="alert(1)'])
def test_anything_else_leaves_it_to_the_device(visitor: Browser, theme: str) -> None:
    choose(visitor, "dark")
    choose(visitor, theme)
    assert COOKIE not in visitor.cookies
    assert "data-theme" not in root(visitor.get(PLAIN).text)


def test_a_cookie_that_nobody_set_is_not_believed(visitor: Browser) -> None:
    visitor.cookies[COOKIE] = "dark%22x"
    assert "data-theme" not in root(visitor.get(PLAIN).text)


def test_nobody_else_can_set_it(visitor: Browser) -> None:
    visitor.get(SETTINGS)
    assert visitor.request("POST", APPEARANCE, form={"theme": "dark"}).status == 403
    assert visitor.get(APPEARANCE).status == 405


def test_who_is_not_known_is_led_to_the_door(embedded: Server) -> None:
    stranger = Browser(embedded.url)
    page = stranger.get(PLAIN).text
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    form = {"csrfmiddlewaretoken": found[1], "theme": "dark"}
    answer = stranger.request("POST", APPEARANCE, form=form)
    assert answer.path.startswith(PLAIN)
    assert COOKIE not in stranger.cookies
