"""Nobody is kept out by the page: what axe finds on each, and a conversation without a mouse."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .conftest import Meet, set_up_link
from .pages import Person

# The only rule of axe that asks which scheme is shown, so the only one worth asking twice.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def faults(person: Person) -> list[str]:
    """What axe finds in light and in dark, of whatever impact, with where it is."""
    person.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = found(person)
    person.page.emulate_media(color_scheme="dark")
    dark = found(person, options=COLOURS)
    person.page.emulate_media(color_scheme=None)
    return [*light, *(f"in the dark: {fault}" for fault in dark)]


def found(person: Person, **how: Any) -> list[str]:
    # Without its style sheets a page that a click has led to is another one.
    person.page.wait_for_load_state()
    violations = Axe().run(person.page, **how).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {node['html'][:160]}"
        for fault in violations
        for node in fault["nodes"]
    ]


def test_a_room_with_everything_in_it(ana: Person, bea: Person) -> None:
    slug = ana.creates("Nobody is kept out")
    assert faults(ana) == []
    bea.opens(slug)
    assert faults(bea) == []
    bea.joins()
    ana.renames_the_room("Nobody is kept out", "A topic")
    bea.says("hola @Ana, see https://example.org and `code`")
    bea.says("```python\nprint('hola')\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n- one\n\n1. two")
    bea.says("\n\n".join(f"line {number}" for number in range(60)))
    ana.sees("line 59")
    ana.reacts_to("hola @Ana", "👍")
    ana.replies_to("hola @Ana", "> quoted\n\n**bold** ~~not so~~")
    ana.says("a mistkae")
    ana.edits("a mistkae", "a mistake")
    ana.says("to be deleted")
    ana.deletes("to be deleted")
    bea.composer.press_sequentially("and")
    expect(ana.page.locator(".typing")).not_to_be_empty()
    ana.message("hola @Ana").hover()
    assert faults(ana) == []
    ana.chooses("a mistake", "Edit")
    assert faults(ana) == []
    ana.opens(slug, ana.seqs()[0])
    ana.archives_the_room()
    assert faults(ana) == []


def test_the_dialogs_of_a_room(ana: Person) -> None:
    ana.creates("With dialogs")
    ana.says("hola")
    page = ana.page
    dialog = page.get_by_role("dialog")

    def open_by(button: Locator) -> None:
        button.click()
        expect(dialog.first).to_be_visible()

    open_by(page.get_by_role("button", name="New room").first)
    assert faults(ana) == []
    page.keyboard.press("Escape")
    open_by(page.get_by_role("button", name="Write to…").first)
    dialog.get_by_role("searchbox").fill("B")
    expect(dialog.get_by_role("button", name="Bea", exact=True)).to_be_visible()
    assert faults(ana) == []
    dialog.get_by_role("button", name="Bea", exact=True).click()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    ana.makes_a_link()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Leave the room").click()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    page.keyboard.press("ControlOrMeta+k")
    page.get_by_role("combobox", name="Go to a room or person").fill("e")
    expect(dialog.get_by_role("option").first).to_be_visible()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    open_by(page.get_by_role("button", name="Emoji", exact=True))
    expect(dialog.get_by_role("gridcell").first).to_be_visible()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    ana.log.focus()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    ana.message("hola").hover()
    ana.message("hola").get_by_role("button", name="React").click()
    expect(page.get_by_role("menu")).to_be_visible()
    assert faults(ana) == []
    page.keyboard.press("Escape")
    page.locator(".account summary").click()
    assert faults(ana) == []


def test_home_and_what_the_connection_says(meet: Meet, embedded: Server, ana: Person) -> None:
    clara = meet(embedded)
    expect(clara.page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {clara.name}")
    assert faults(clara) == []
    slug = clara.creates(f"Of {clara.name}")
    ana.opens(slug)
    ana.joins()
    ana.writes_to(clara.name)
    ana.says("psst")
    clara.goes_home()
    clara.has_unread("Ana")
    expect(clara.page.locator("#public-rooms")).to_be_visible()
    assert faults(clara) == []
    clara.enters("Ana")
    clara.sees("psst")
    clara.loses_the_network()
    clara.says("not yet")
    expect(clara.page.locator("#status")).to_contain_text("1 message waits")
    assert faults(clara) == []
    clara.has_the_network_again()
    ana.sees("not yet")
    clara.sees("not yet")
    # What is no longer open.
    clara.page.goto(f"{clara.base}/chat/{slug}/")
    clara.removes("Ana")
    narrow = {"width": 390, "height": 844}
    clara.page.set_viewport_size(narrow)
    assert faults(clara) == []


@pytest.fixture(scope="session")
def closed() -> Any:
    """A new site that nobody has set up, with invitations."""
    server = Server().start()
    yield server
    server.remove()


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/reset/",
        "/accounts/reset/x/no-good/",
    ],
)
def test_the_pages_for_a_stranger(meet: Meet, embedded: Server, path: str) -> None:
    stranger = meet(embedded, known=False)
    stranger.page.goto(embedded.url + path)
    assert faults(stranger) == []
    button = stranger.page.locator("main button[type=submit]")
    if button.count():
        # What is wrong with an answer is said as well as what was asked.
        for field in stranger.page.locator("main input:not([type=hidden])").all():
            field.fill("no")
        if button.evaluate("button => button.form.checkValidity()"):
            with stranger.page.expect_navigation():
                button.click()
        else:
            button.click()
        assert faults(stranger) == []


def test_the_pages_for_a_member(ana: Person) -> None:
    ana.creates("To come in by a link", private=True)
    link = ana.makes_a_link()
    for path in ("/chat/-/settings/", "/accounts/password/", "/accounts/email/"):
        ana.page.goto(ana.base + path)
        assert faults(ana) == [], path
    ana.page.goto(link)
    assert faults(ana) == []


def test_the_pages_of_an_invitation(ana: Person, bea: Person) -> None:
    ana.creates("To come in by a link", private=True)
    link = ana.makes_a_link()
    bea.page.goto(link)
    assert faults(bea) == []
    # The browser notes the status in its console, which is no fault of the page.
    unwatched = Person(bea.page.context.new_page(), bea.base)
    for path in ("/chat/-/invitation/no-good/", "/chat/no-such-room/", "/nothing-here/"):
        unwatched.page.goto(bea.base + path)
        assert faults(unwatched) == [], path


def test_the_pages_of_a_new_site(closed: Server, meet: Meet) -> None:
    first = meet(closed, known=False)
    first.page.goto(set_up_link(closed))
    assert faults(first) == []
    first.signs_up(set_up_link(closed), "first", "a quiet warm room")
    first.page.goto(f"{closed.url}/accounts/invite/")
    first.page.locator("form[method=post]").last.locator("button").last.click()
    expect(first.page.locator("#new-link")).to_be_visible()
    assert faults(first) == []


# Without a mouse


class Keys:
    """Somebody's keyboard. After each act it is somewhere, or the act has failed."""

    def __init__(self, person: Person) -> None:
        self._page = person.page

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)
            self.are_somewhere()

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)
        self.are_somewhere()

    def are_somewhere(self) -> None:
        expect(self._page.locator(":focus")).to_have_count(1)

    def reach(self, place: Locator, key: str = "Tab") -> None:
        """By so many presses as a person may have patience for."""
        expect(place).to_be_visible()
        for _ in range(30):
            if place.evaluate("place => place === document.activeElement"):
                break
            self.press(key)
        expect(place).to_be_focused()


def test_a_conversation_without_a_mouse(ana: Person, bea: Person) -> None:
    slug = bea.creates("By keyboard alone")
    bea.says("who is there?")
    ana.opens(slug)
    ana.joins()
    ana.goes_home()
    keys = Keys(ana)
    dialog = ana.page.get_by_role("dialog")

    # Into the room, and a word.
    ana.page.keyboard.press("ControlOrMeta+k")
    expect(ana.page.get_by_role("combobox", name="Go to a room or person")).to_be_focused()
    keys.type("by key")
    expect(dialog.get_by_role("option").first).to_contain_text("By keyboard alone")
    keys.press("Enter")
    expect(ana.composer).to_be_focused()
    keys.type("me, without a maus")
    keys.press("Enter")
    bea.sees("me, without a maus", by="Ana")
    # Only what has come back to her can be taken up again by key.
    ana.sees("me, without a maus")
    expect(ana.composer).to_be_focused()

    # It is mended, and the question is answered.
    keys.press("ArrowUp", "Backspace", "Backspace", "Backspace")
    keys.type("ouse")
    keys.press("Enter")
    bea.sees("me, without a mouse")
    # The reply to it empties the field, and brings the keyboard back there.
    expect(ana.composer).to_have_value("")
    expect(ana.composer).to_be_focused()
    keys.reach(ana.log, "Shift+Tab")
    keys.press("Home")
    expect(ana.message("who is there?")).to_be_focused()
    keys.press("r")
    expect(ana.composer).to_be_focused()
    keys.type("only the two of us")
    keys.press("Enter")
    expect(bea.sees("only the two of us").locator(".quote")).to_contain_text("who is there?")

    # A reaction, and a message taken back; the keyboard stays with the message.
    keys.reach(ana.log, "Shift+Tab")
    keys.press("Home")
    expect(ana.message("who is there?")).to_be_focused()
    expect(ana.message("who is there?").get_by_role("button", name="React")).to_be_visible()
    keys.press("+")
    expect(ana.page.get_by_role("menuitem").first).to_be_focused()
    keys.press("ArrowRight", "Enter")
    bea.sees_reaction("who is there?", "❤️", 1)
    expect(ana.message("who is there?")).to_be_focused()
    ana.sees("only the two of us")
    keys.press("End")
    expect(ana.message("only the two of us")).to_be_focused()
    keys.press("Delete")
    keys.reach(dialog.get_by_role("button", name="Delete"), "Shift+Tab")
    keys.press("Enter")
    bea.does_not_see("only the two of us")
    keys.are_somewhere()
    expect(ana.log.locator("article").last).to_be_focused()
    keys.press("Escape")
    expect(ana.composer).to_be_focused()

    # Out of the room.
    keys.reach(ana.page.locator("#details-button"), "Shift+Tab")
    keys.press("Enter")
    expect(ana.page.locator("#details-title")).to_be_focused()
    keys.press("Escape")
    expect(ana.page.locator("#details-button")).to_be_focused()
    keys.press("Enter")
    keys.reach(ana.page.get_by_role("button", name="Leave the room"))
    keys.press("Enter")
    keys.reach(dialog.get_by_role("button", name="Leave the room"), "Shift+Tab")
    keys.press("Enter")
    ana.page.wait_for_url("**/chat/")
    expect(ana.page.get_by_role("heading", level=1)).to_have_text(re.compile("Ana"))
    keys.are_somewhere()


def test_the_content_is_skipped_to(ana: Person) -> None:
    ana.creates("Straight to it")
    ana.page.reload()
    expect(ana.composer).to_be_focused()
    skip = ana.page.get_by_role("link", name="Skip to the content")
    skip.focus()
    ana.page.keyboard.press("Enter")
    expect(ana.page.locator("#main")).to_be_focused()


def test_the_keyboard_is_led_on_when_its_place_goes(ana: Person, bea: Person) -> None:
    """What somebody was on may vanish by what another one does."""
    slug = ana.creates("Under the fingers")
    bea.opens(slug)
    keys = Keys(bea)
    bea.page.get_by_role("button", name="Join").focus()
    keys.press("Enter")
    expect(bea.composer).to_be_focused()
    ana.says("here for a moment")
    bea.reacts_to("here for a moment", "👍")
    bea.sees_reaction("here for a moment", "👍", 1)
    chip = bea.message("here for a moment").locator(".reaction")
    chip.focus()
    keys.press("Enter")
    expect(chip).to_have_count(0)
    keys.are_somewhere()
    bea.message("here for a moment").focus()
    ana.deletes("here for a moment")
    bea.does_not_see("here for a moment")
    keys.are_somewhere()
    bea.composer.focus()
    ana.archives_the_room()
    expect(bea.composer).to_have_count(0)
    keys.are_somewhere()
