"""Going somewhere by name, and the list of keys."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet
from .pages import PATIENCE, Person
from .test_composing import violations


def asks(person: Person, query: str = "") -> Locator:
    """Opens the switcher by its key and writes into it; the options."""
    person.page.keyboard.press("ControlOrMeta+k")
    box = person.page.get_by_role("combobox", name="Go to a room or person")
    expect(box).to_be_focused()
    person.page.keyboard.type(query)
    return person.page.get_by_role("dialog").get_by_role("option")


def is_in(person: Person, name: str) -> None:
    expect(person.page.get_by_role("dialog")).to_have_count(0)
    expect(person.page.get_by_role("heading", level=1, name=name)).to_be_visible()


@pytest.fixture
def somebody(meet: Meet, embedded: Server) -> Person:
    """With three rooms, the last of which is open."""
    person = meet(embedded)
    for name in ("Bookshop", "Deliveries", "Café Número Uno"):
        person.goes_home()
        person.creates(name)
    return person


def test_enter_goes_back_to_the_room_before(somebody: Person) -> None:
    somebody.enters("Bookshop")
    options = asks(somebody)
    expect(options).to_have_text([re.compile("Café Número Uno"), re.compile("Deliveries")])
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Café Número Uno")
    expect(asks(somebody).first).to_contain_text("Bookshop")
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Bookshop")


def test_a_room_is_found_without_accents_and_marked(somebody: Person) -> None:
    options = asks(somebody, "numero c")
    expect(options.first.locator("mark")).to_have_text(["C", "Número"])
    expect(options.first).to_have_attribute("aria-selected", "true")
    somebody.page.keyboard.press("Escape")
    options = asks(somebody, "dlv")
    expect(options.first).to_contain_text("Deliveries")
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Deliveries")


def test_keys_and_pointer_select(somebody: Person) -> None:
    options = asks(somebody)
    somebody.page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    somebody.page.keyboard.press("ArrowDown")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    # The pointer selects where it moves: that it comes to be above an option is not enough.
    options.nth(0).hover()
    options.nth(1).hover()
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    # The same key closes it.
    somebody.page.keyboard.press("ControlOrMeta+k")
    expect(somebody.page.get_by_role("dialog")).to_have_count(0)
    asks(somebody).filter(has_text="Bookshop").click()
    is_in(somebody, "Bookshop")


def test_what_is_unread_comes_first(somebody: Person, bea: Person) -> None:
    somebody.enters("Bookshop")
    bea.opens(somebody.slug)
    bea.joins()
    somebody.enters("Deliveries")
    bea.says("a parcel came")
    somebody.has_unread("Bookshop")
    options = asks(somebody)
    expect(options.first).to_contain_text(re.compile(r"Bookshop\s*1 unread message"))
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Bookshop")
    somebody.sees("a parcel came")


def test_a_person_is_written_to(somebody: Person, embedded: Server) -> None:
    embedded.createuser("Waldemar", password=PASSWORD)
    # Enter is pressed before the server has answered, and means whom it finds.
    asks(somebody, "waldem")
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Waldemar")
    somebody.says("good evening")
    somebody.enters("Deliveries")
    # From now on it is a room of mine, at hand at once, and there once.
    options = asks(somebody, "wald").filter(has_text="Waldemar")
    expect(options).to_have_count(1)
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Waldemar")


def test_a_public_room_that_i_am_not_in(somebody: Person, ana: Person) -> None:
    ana.creates("Ornithology")
    options = asks(somebody, "ornith")
    expect(options.first).to_contain_text("Ornithology")
    expect(somebody.page.get_by_role("group", name="Public rooms")).to_be_visible()
    somebody.page.keyboard.press("Enter")
    is_in(somebody, "Ornithology")


def test_what_is_not_there_is_created(somebody: Person) -> None:
    options = asks(somebody, "Herbarium 17")
    expect(options).to_have_text(re.compile("Create room “Herbarium 17”"))
    expect(options).to_have_attribute("aria-selected", "true")
    somebody.page.keyboard.press("Enter")
    dialog = somebody.page.get_by_role("dialog", name="New room")
    expect(dialog.get_by_role("textbox", name="Name")).to_have_value("Herbarium 17")
    dialog.get_by_role("button", name="Create the room").click()
    is_in(somebody, "Herbarium 17")


def test_it_works_from_the_field_and_without_a_connection(somebody: Person) -> None:
    asks(somebody)
    somebody.page.keyboard.press("Escape")
    somebody.composer.fill("half a sentence")
    somebody.page.context.set_offline(True)
    expect(somebody.page.locator("#sidebar").get_by_text("Offline")).to_be_visible(timeout=PATIENCE)
    options = asks(somebody, "deliv")
    expect(options.first).to_contain_text("Deliveries")
    somebody.page.keyboard.press("Escape")
    expect(somebody.page.get_by_role("dialog")).to_have_count(0)
    expect(somebody.composer).to_be_focused()
    expect(somebody.composer).to_have_value("half a sentence")
    somebody.page.context.set_offline(False)


def opens_keys(person: Person) -> Locator:
    person.page.locator("#main").evaluate("main => main.focus()")
    person.page.keyboard.press("?")
    return person.page.get_by_role("dialog", name="Keys")


def test_the_list_of_keys(somebody: Person) -> None:
    dialog = opens_keys(somebody)
    expect(dialog.get_by_role("heading", level=3)).to_have_text(
        ["Everywhere", "While writing", "Among the messages"]
    )
    expect(dialog.locator("kbd").first).to_have_text(re.compile("^(Ctrl|⌘)$"))
    somebody.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    # A question in a message is a question.
    somebody.composer.press_sequentially("why?")
    expect(somebody.composer).to_have_value("why?")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(somebody: Person, scheme: str) -> None:
    page: Page = somebody.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    expect(asks(somebody, "e").first).to_be_visible()
    assert violations(page, "dialog") == []
    page.keyboard.press("Escape")
    expect(opens_keys(somebody)).to_be_visible()
    assert violations(page, "dialog") == []
