"""Who reads Spanish meets no English word, on any page, by eye or by ear."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import Person

# Words without which hardly any English text of a page gets by, and that no Spanish one has.
ENGLISH = """
account add again and another are archive archived back be before begin by cancel change
choose close connected copy create delete details discard edit everybody expired favourite
find for forgot from go good have here home invitation invite is it join language last leave
letters link make member members message messages moment my name newest nobody not off
offline open out owner page password people person picture private public react read remove
reply role room rooms save say search see send settings shift show sign somebody take the they
this time to today topic type unread username waiting welcome which who with word write you
your
"""

# What somebody sees or hears: the texts, and the names and hints that are attributes. Not what
# people have written, which is isolated by <bdi>, nor the names of time zones and of emoji: there
# is an arrow with the word BACK.
WORDS = """() => {
    const attributes = ['aria-label', 'title', 'placeholder', 'alt', 'aria-roledescription'];
    const foreign = 'bdi, .text, script, style, noscript, [name="time_zone"], [role="grid"]';
    const texts = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const {currentNode} = walker;
        if (!currentNode.parentElement.closest(foreign)) texts.push(currentNode.data);
    }
    for (const name of attributes) {
        for (const each of document.querySelectorAll(`[${name}]`)) {
            if (!each.closest(foreign)) texts.push(each.getAttribute(name));
        }
    }
    return texts.join('\\n');
}"""


def english_on(person: Person) -> set[str]:
    # A form that was sent may be on its way still.
    person.page.wait_for_load_state()
    words = re.findall(r"[^\W\d_]+", person.page.evaluate(WORDS).lower())
    assert words
    return set(ENGLISH.split()).intersection(words)


@pytest.fixture
def rosa(meet: Meet, embedded: Server) -> Person:
    return meet(embedded, locale="es-ES")


def test_a_room(rosa: Person) -> None:
    page = rosa.page
    dialog = page.get_by_role("dialog")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", level=1)).to_contain_text(rosa.name)
    assert english_on(rosa) == set()
    page.get_by_role("button", name="Nueva sala").first.click()
    dialog.get_by_role("textbox", name="Nombre").fill("La cocina")
    assert english_on(rosa) == set()
    dialog.get_by_role("button", name="Crear la sala").click()
    rosa.says("buenas tardes")
    rosa.sees("buenas tardes")
    message = rosa.message("buenas tardes")
    message.hover()
    message.get_by_role("button", name="Reaccionar").click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert english_on(rosa) == set()
    page.keyboard.press("Escape")
    message.get_by_role("button", name="Más", exact=True).click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert english_on(rosa) == set()
    page.keyboard.press("Escape")
    rosa.opens_details()
    expect(page.get_by_role("button", name="Dejar la sala")).to_be_visible()
    assert english_on(rosa) == set()
    page.locator("#details").get_by_role("button", name="Invitar a gente").click()
    expect(dialog).to_be_visible()
    assert english_on(rosa) == set()
    page.keyboard.press("Escape")
    page.keyboard.press("ControlOrMeta+k")
    expect(dialog).to_be_visible()
    assert english_on(rosa) == set()
    page.keyboard.press("Escape")
    rosa.log.focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    assert english_on(rosa) == set()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(dialog.get_by_role("gridcell").first).to_be_visible()
    assert english_on(rosa) == set()


def test_the_pages_for_a_member(rosa: Person) -> None:
    for path in ("/chat/-/settings/", "/accounts/password/", "/accounts/email/"):
        rosa.page.goto(rosa.base + path)
        assert english_on(rosa) == set(), path


def test_the_pages_for_a_stranger(meet: Meet, embedded: Server) -> None:
    stranger = meet(embedded, known=False, locale="es-ES")
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/reset/"):
        stranger.page.goto(embedded.url + path)
        assert english_on(stranger) == set(), path
        for field in stranger.page.locator("main input:not([type=hidden])").all():
            field.fill("no")
        stranger.page.locator("main button[type=submit]").click()
        assert english_on(stranger) == set(), path
    # The browser notes the status in its console, which is no fault of the page.
    stranger.page = stranger.page.context.new_page()
    for path in ("/chat/no-such-room/", "/nothing-here/", "/chat/-/invitation/no-good/"):
        stranger.page.goto(embedded.url + path)
        assert english_on(stranger) == set(), path


def test_english_words_are_noticed(ana: Person) -> None:
    """The list is worth something: an English page is full of it."""
    assert len(english_on(ana)) > 5
