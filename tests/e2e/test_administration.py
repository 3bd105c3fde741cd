"""The administration in a browser: the site's policy lets all of it work, in light and in dark,
on a telephone too. Script errors and refusals of the policy fail a test by themselves."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tertulia.testing.server import Server
from tests.support.administration import CHAT, Staff

from .conftest import Meet
from .pages import Person

PAGES = (
    "room/",
    "room/{room}/change/",
    "participant/",
    "participant/{person}/change/",
    "participant/signed-in/",
    "membership/",
    "message/?room={slug}",
    "event/?room={slug}",
    "token/",
)


@pytest.fixture(scope="module")
def root(embedded: Server) -> Staff:
    return Staff.made(embedded, {"Administers": None})["Administers"]


def comes_in(meet: Meet, root: Staff, **how: object) -> Person:
    """The administrator at a browser of his own."""
    somebody = meet(root.server, known=False, **how)
    session = root.browser.cookies["sessionid"]
    cookie = {"name": "sessionid", "value": session, "url": root.server.url}
    somebody.page.context.add_cookies([cookie])  # type: ignore[list-item]
    return somebody


def chooses(page: Page, field: str, text: str) -> None:
    """Writes into a field that offers what begins so, and takes the first offer."""
    page.locator(f".field-{field} .select2-selection").click()
    page.locator(".select2-search__field").fill(text)
    page.locator(".select2-results__option--highlighted", has_text=text).click()


def test_a_member_is_added_and_removed(
    meet: Meet, embedded: Server, root: Staff, bea: Person
) -> None:
    ana = meet(embedded)
    slug = ana.creates("Reading at night")
    admin = comes_in(meet, root)
    page = admin.page
    page.goto(f"{embedded.url}{CHAT}/membership/add/")
    chooses(page, "room", "Reading at night")
    chooses(page, "participant", "Bea")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".success")).to_contain_text("was added successfully")

    page.goto(f"{embedded.url}{CHAT}/membership/?room={slug}&person=Bea")
    page.locator("#result_list th a").first.click()
    expect(page.get_by_role("button", name="Remove from the room")).to_be_visible()
    page.get_by_role("button", name="Remove from the room").click()
    expect(page.locator("#content")).to_contain_text("What they wrote stays")
    page.get_by_role("button", name="Remove from the room").click()
    expect(page.locator(".success")).to_contain_text("done")
    expect(page.get_by_role("button", name="Remove from the room")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_a_telephone(meet: Meet, embedded: Server, root: Staff, scheme: str) -> None:
    ana = meet(embedded)
    slug = ana.creates(f"Seen in {scheme}")
    ana.says("hola")
    keys = {
        "slug": slug,
        "room": str(root.find("room", q=slug)),
        "person": str(root.find("participant", q=ana.name)),
    }
    admin = comes_in(meet, root, color_scheme=scheme, viewport={"width": 390, "height": 844})
    for address in PAGES:
        admin.page.goto(f"{embedded.url}{CHAT}/{address.format(**keys)}")
        expect(admin.page.locator("#content")).to_be_visible()
        wide = admin.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, (address, wide)
