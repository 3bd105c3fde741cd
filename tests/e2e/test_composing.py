"""Writing with help: people after @, emoji after a colon, and the picker."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet
from .pages import Person


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates("Composing")
    bea.opens(slug)
    bea.joins()
    ana.says("hola")
    # What came before it, Bea's coming in, both have heard of then.
    for person in (ana, bea):
        person.sees("hola")
    return slug


def field(person: Person) -> Locator:
    """Where messages are written, also while a list makes it a combobox."""
    return person.page.locator("textarea")


def types(person: Person, text: str) -> None:
    field(person).press_sequentially(text)


def offered(person: Person) -> Locator:
    return person.page.get_by_role("listbox").get_by_role("option")


def holds(person: Person, text: str) -> None:
    expect(field(person)).to_have_value(text)


def is_offered_nothing(person: Person) -> None:
    expect(person.page.get_by_role("listbox")).to_have_count(0)
    expect(field(person)).not_to_have_attribute("role", "combobox")


def test_a_mention_is_completed_and_reaches_its_person(ana: Person, bea: Person, room: str) -> None:
    bea.goes_home()
    types(ana, "good morning @b")
    expect(offered(ana).first).to_contain_text("Bea")
    ana.page.keyboard.press("Enter")
    holds(ana, "good morning @Bea ")
    is_offered_nothing(ana)
    types(ana, "how are you?")
    ana.page.keyboard.press("Enter")
    ana.sees("good morning")
    bea.has_unread("Composing", mentions=1)


def test_who_is_here_comes_first(ana: Person, bea: Person, meet: Meet, embedded: Server) -> None:
    """The names of those who left sort before, and still stand below."""
    slug = ana.creates("Who is here")
    for person in (meet(embedded), bea):
        person.opens(slug)
        person.joins()
        expect(ana.page.get_by_text("2 here")).to_be_visible()
        if person is not bea:
            person.goes_home()
            expect(ana.page.locator(".here-count")).to_have_count(0)
    # By her own message she has heard of whatever happened before it, Bea's joining too.
    ana.says("hola")
    ana.sees("hola")
    types(ana, "@")
    expect(offered(ana)).to_have_count(2)
    expect(offered(ana).first).to_contain_text(re.compile(r"Bea\s*here now"))


def test_somebody_who_is_not_in_the_room_is_offered_as_such(
    ana: Person, room: str, embedded: Server
) -> None:
    embedded.createuser("Zacharias", password=PASSWORD)
    types(ana, "@zac")
    expect(offered(ana)).to_have_text(re.compile(r"Zacharias\s*not in this room"))
    ana.page.keyboard.press("Tab")
    holds(ana, "@Zacharias ")


def test_a_name_that_is_written_in_full_is_sent_by_enter(ana: Person, room: str) -> None:
    types(ana, "hello @bea")
    ana.page.keyboard.press("Enter")
    ana.sees("hello @bea")


def test_keys_of_the_list(ana: Person, room: str) -> None:
    types(ana, "so :hea")
    expect(offered(ana)).to_have_count(8)
    combobox = ana.page.get_by_role("combobox", name="Message")
    expect(combobox).to_be_focused()
    expect(combobox).to_have_attribute("aria-expanded", "true")
    first = offered(ana).first
    expect(combobox).to_have_attribute("aria-activedescendant", first.get_attribute("id") or "?")
    ana.page.keyboard.press("ArrowDown")
    expect(offered(ana).nth(1)).to_have_attribute("aria-selected", "true")
    ana.page.keyboard.press("ArrowUp")
    ana.page.keyboard.press("ArrowUp")
    expect(offered(ana).last).to_have_attribute("aria-selected", "true")
    # Esc leaves the list, and it stays away while the word is written.
    ana.page.keyboard.press("Escape")
    is_offered_nothing(ana)
    types(ana, "r")
    is_offered_nothing(ana)
    holds(ana, "so :hear")
    types(ana, " :hea")
    expect(offered(ana)).to_have_count(8)


def test_an_emoji_is_found_by_either_language(ana: Person, bea: Person, room: str) -> None:
    types(ana, "me :tad")
    expect(offered(ana).first).to_contain_text("party popper")
    ana.page.keyboard.press("Enter")
    holds(ana, "me 🎉")
    types(ana, " :cañón")
    expect(offered(ana).filter(has_text="🎉")).to_have_count(1)
    offered(ana).filter(has_text="🎉").click()
    holds(ana, "me 🎉 🎉")
    expect(field(ana)).to_be_focused()
    ana.page.keyboard.press("Enter")
    bea.sees("me 🎉 🎉")


def test_a_short_code_written_in_full_becomes_its_emoji(ana: Person, room: str) -> None:
    # What does it is fetched by the first letters; it may take longer than writing the others.
    types(ana, "well :tad")
    expect(offered(ana).first).to_be_visible()
    types(ana, "a: done")
    holds(ana, "well 🎉 done")
    ana.page.keyboard.press("ControlOrMeta+a")
    ana.page.keyboard.press("Backspace")
    types(ana, ":nosuchcode: :) 10:30 :-D https://x.org:80/:ta `:tada:`")
    is_offered_nothing(ana)
    holds(ana, ":nosuchcode: :) 10:30 :-D https://x.org:80/:ta `:tada:`")


def test_what_was_put_in_can_be_taken_back(ana: Person, room: str) -> None:
    types(ana, "a :tada:")
    holds(ana, "a 🎉")
    ana.page.keyboard.press("ControlOrMeta+z")
    holds(ana, "a :tada:")


def test_the_list_goes_with_the_room(ana: Person, room: str) -> None:
    types(ana, "@b")
    expect(offered(ana).first).to_be_visible()
    ana.page.evaluate("history.back()")
    is_not_in = ana.page.get_by_role("listbox")
    expect(is_not_in).to_have_count(0)


def picker(person: Person) -> Locator:
    return person.page.get_by_role("dialog", name="Choose an emoji")


def opens_picker(person: Person) -> Locator:
    person.page.get_by_role("button", name="Emoji", exact=True).click()
    dialog = picker(person)
    expect(dialog.get_by_role("textbox", name="Find an emoji")).to_be_focused()
    return dialog


def test_an_emoji_is_picked_by_keyboard(ana: Person, bea: Person, room: str) -> None:
    dialog = opens_picker(ana)
    keys = ana.page.keyboard
    keys.press("ArrowDown")
    expect(dialog.get_by_role("gridcell", name="grinning face", exact=True)).to_be_focused()
    keys.press("ArrowRight")
    expect(dialog.locator(".emoji-preview")).to_contain_text("grinning face with big eyes")
    keys.press("End")
    keys.press("ArrowDown")
    focused = dialog.locator("[data-index='15']")
    expect(focused).to_be_focused()
    keys.press("Home")
    keys.press("ArrowUp")
    expect(dialog.locator("[data-index='0']")).to_be_focused()
    # Letters go into the search wherever the keyboard is.
    keys.type("tada")
    expect(dialog.get_by_role("gridcell")).to_have_count(1)
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    holds(ana, "🎉")
    expect(field(ana)).to_be_focused()
    keys.press("Enter")
    bea.sees("🎉")


def test_the_last_ones_come_first_and_a_skin_tone_is_kept(ana: Person, room: str) -> None:
    dialog = opens_picker(ana)
    dialog.get_by_role("button", name="Skin tone: none").click()
    dialog.get_by_role("radio", name="medium", exact=True).check(force=True)
    dialog.get_by_role("button", name="Done").click()
    dialog.get_by_role("textbox").fill("thumbs up")
    dialog.get_by_role("gridcell", name="thumbs up", exact=True).click()
    holds(ana, "👍🏽")
    ana.reloads()
    dialog = opens_picker(ana)
    recent = dialog.get_by_role("grid", name="Used last").get_by_role("gridcell")
    expect(recent).to_have_text("👍🏽")
    expect(dialog.get_by_role("grid")).to_have_count(10)
    ana.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_any_emoji_can_be_a_reaction(ana: Person, bea: Person, room: str) -> None:
    bea.message("hola").hover()
    bea.message("hola").get_by_role("button", name="React", exact=True).click()
    bea.page.get_by_role("menuitem", name="Another emoji").click()
    dialog = picker(bea)
    dialog.get_by_role("textbox").fill("otter")
    dialog.get_by_role("gridcell", name="otter").click()
    ana.sees_reaction("hola", "🦦", 1)


def test_nothing_is_called_that(ana: Person, room: str) -> None:
    dialog = opens_picker(ana)
    dialog.get_by_role("textbox").fill("zzzz")
    expect(dialog.get_by_text("No emoji is called that.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(ana: Person, room: str, scheme: str) -> None:
    ana.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opens_picker(ana)
    ana.page.keyboard.press("ArrowDown")
    assert violations(ana.page, "dialog") == []
    ana.page.keyboard.press("Escape")
    types(ana, "@")
    expect(offered(ana).first).to_be_visible()
    assert violations(ana.page, ".completion") == []


def violations(page: Page, inside: str) -> list[str]:
    """What axe finds wrong in a part of the page."""
    found = Axe().run(page, context=inside)
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found.response["violations"]]
