"""The open room: what repaints what, the keys, long messages, and who has read."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import Person, until

# Counts what changes below an element from now on; attributes and texts as well.
WATCH = """selector => {
    window.changes = 0;
    window.observer?.disconnect();
    window.observer = new MutationObserver(found => { window.changes += found.length; });
    window.observer.observe(
        document.querySelector(selector),
        {subtree: true, childList: true, attributes: true, characterData: true});
}"""
# All that was asked for has been painted: two frames later.
PAINTED = """() => new Promise(resolve =>
    requestAnimationFrame(() => requestAnimationFrame(resolve)))"""

COPIED = "async text => await navigator.clipboard.readText() === text"


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates("What repaints what")
    bea.opens(slug)
    bea.joins()
    return slug


def changes(person: Person) -> int:
    person.page.evaluate(PAINTED)
    return int(person.page.evaluate("window.changes"))


def changes_at_best(person: Person, part: str, act: Callable[[], None]) -> int:
    """Changes of a part of the page when this is done.

    Who is here and the like are told up to a second later and may fall into it, but not each time.
    """
    found = []
    for _ in range(4):
        person.page.evaluate(WATCH, part)
        act()
        found.append(changes(person))
        if found[-1] == 0:
            break
    return min(found)


def test_typing_repaints_nothing_but_the_composer(ana: Person, bea: Person, room: str) -> None:
    bea.says("hola")
    ana.sees("hola")
    ana.composer.focus()
    for part in ("tertulia-timeline", "tertulia-sidebar", ".room-header"):
        typed = changes_at_best(ana, part, lambda: ana.page.keyboard.type("a few words"))
        assert typed == 0, part


def test_a_message_repaints_nothing_at_the_left(ana: Person, bea: Person, room: str) -> None:
    texts = iter(("one", "two", "three", "four"))

    def heard() -> None:
        text = next(texts)
        bea.says(text)
        ana.sees(text)

    assert changes_at_best(ana, "tertulia-sidebar", heard) == 0


def test_the_title_counts_what_is_unread(meet: Meet, embedded: Server, bea: Person) -> None:
    clara = meet(embedded)
    slug = clara.creates(f"Counted {clara.name}")
    bea.opens(slug)
    bea.joins()
    clara.goes_home()
    bea.says("one")
    bea.says("two")
    expect(clara.page).to_have_title("(2) Tertulia")
    expect(clara.page.locator('link[rel="icon"]')).to_have_attribute(
        "href", re.compile("icon-unread.svg$")
    )
    clara.opens(slug)
    expect(clara.page).to_have_title(f"Counted {clara.name} · Tertulia")


def test_the_keys_in_the_log(ana: Person, bea: Person, room: str) -> None:
    bea.says("a question")
    ana.sees("a question")
    ana.says("an anser")
    ana.sees("an anser")
    keyboard = ana.page.keyboard
    ana.composer.focus()
    ana.log.focus()
    keyboard.press("ArrowDown")
    expect(ana.message("an anser")).to_be_focused()
    keyboard.press("e")
    expect(ana.composer).to_have_value("an anser")
    ana.composer.fill("an answer")
    ana.composer.press("Enter")
    ana.sees("an answer")
    # The field takes the keyboard back when the server has said yes.
    expect(ana.page.locator(".composer-about")).to_have_count(0)
    ana.log.focus()
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    expect(ana.message("a question")).to_be_focused()
    keyboard.press("r")
    expect(ana.page.locator(".composer-about")).to_contain_text("a question")
    keyboard.press("Escape")
    expect(ana.page.locator(".composer-about")).to_have_count(0)
    ana.log.focus()
    keyboard.press("Home")
    expect(ana.message("a question")).to_be_focused()
    keyboard.press("+")
    ana.page.get_by_role("menuitem", name="React with 👍").press("Enter")
    ana.sees_reaction("a question", "👍", 1)
    keyboard.press("End")
    expect(ana.message("an answer")).to_be_focused()
    keyboard.press("Delete")
    ana.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ana.does_not_see("an answer")


def test_the_keys_that_work_everywhere(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    for name in ("Attic", "Balcony", "Cellar"):
        clara.creates(f"{name} {clara.name}")
        clara.goes_home()
    keyboard = clara.page.keyboard
    expect(clara.page.locator(".room-link")).to_have_count(3)
    for name in ("Attic", "Balcony", "Cellar", "Attic"):
        keyboard.press("Alt+ArrowDown")
        expect(clara.page.get_by_role("heading", level=1)).to_have_text(f"{name} {clara.name}")
    keyboard.press("Alt+ArrowUp")
    expect(clara.page.get_by_role("heading", level=1)).to_have_text(f"Cellar {clara.name}")
    # A room that opens takes the keyboard into its composer first.
    expect(clara.composer).to_be_focused()
    clara.log.focus()
    keyboard.press("/")
    expect(clara.composer).to_be_focused()
    expect(clara.composer).to_have_value("")


def test_the_menu_of_a_message_by_keyboard(ana: Person, room: str) -> None:
    ana.says("hola")
    message = ana.sees("hola")
    message.focus()
    ana.page.keyboard.press("Enter")
    expect(message.get_by_role("button", name="React")).to_be_focused()
    message.get_by_role("button", name="More").press("Enter")
    menu = ana.page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    ana.page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("menuitem", name="Delete")).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(message.get_by_role("button", name="More")).to_be_focused()


def test_a_finger_that_rests_opens_the_menu(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    clara.creates("By finger")
    clara.says("hola")
    place = clara.sees("hola").locator(".text").bounding_box()
    assert place
    touch = clara.page.context.new_cdp_session(clara.page)
    point = {"x": place["x"] + 10, "y": place["y"] + 5}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    menu = clara.page.get_by_role("menu")
    expect(menu).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    for item in menu.get_by_role("menuitem").all():
        box = item.bounding_box()
        assert box
        assert box["width"] >= 44
        assert box["height"] >= 44
    menu.get_by_role("menuitem", name="React with 🎉").tap()
    clara.sees_reaction("hola", "🎉", 1)


def test_a_very_long_message_is_shown_in_part(ana: Person, room: str) -> None:
    ana.says("\n\n".join(f"line {number}" for number in range(60)))
    message = ana.sees("line 59")
    text = message.locator(".text")
    whole = int(text.evaluate("text => text.scrollHeight"))
    assert int(text.evaluate("text => text.clientHeight")) < whole / 2
    message.get_by_role("button", name="Show all").click()
    expect(message.get_by_role("button", name="Show less")).to_have_attribute(
        "aria-expanded", "true"
    )
    assert int(text.evaluate("text => text.clientHeight")) == whole
    ana.says("a short one")
    expect(ana.sees("a short one").get_by_role("button", name="Show")).to_have_count(0)


def test_many_kinds_of_reactions_are_folded(ana: Person, bea: Person, room: str) -> None:
    ana.says("popular")
    seq = ana.sees("popular").get_attribute("data-seq")
    for number in range(25):
        bea.page.evaluate(
            """([room, seq, emoji]) => new Promise(resolve => {
                window.socket ??= new WebSocket(`ws://${location.host}/ws/`);
                const send = () => {
                    window.socket.onmessage = ({data}) => {
                        if (JSON.parse(data).ref === emoji) resolve();
                    };
                    window.socket.send(JSON.stringify(
                        {type: "reaction.add", ref: emoji, room, seq: Number(seq), emoji}));
                };
                if (window.socket.readyState === 1) send();
                else window.socket.onopen = send;
            })""",
            [room, seq, chr(0x1F600 + number)],
        )
    chips = ana.message("popular").locator(".reaction")
    expect(chips).to_have_count(21)
    expect(chips.last).to_have_text("+5")
    chips.last.click()
    expect(chips).to_have_count(25)


def test_a_direct_room_says_that_it_was_read(meet: Meet, embedded: Server) -> None:
    clara, dora = meet(embedded), meet(embedded)
    slug = clara.writes_to(dora.name)
    clara.says("are you there?")
    expect(clara.sees("are you there?").locator(".receipt")).to_have_count(0)
    dora.opens(slug)
    dora.sees("are you there?")
    expect(clara.message("are you there?").locator(".receipt")).to_have_text("Read")
    dora.says("yes")
    clara.sees("yes")
    # Who answers has plainly read it.
    expect(clara.log.locator(".receipt")).to_have_count(0)


def test_who_reads_by_ear_hears_many_messages_as_a_number(
    ana: Person, bea: Person, room: str
) -> None:
    expect(ana.log).to_have_attribute("aria-live", "polite")
    spoken = ana.log.locator("> .sr-only")
    bea.says("hola")
    expect(spoken).to_have_text("Bea: hola")
    expect(ana.message("hola")).to_have_attribute("aria-label", re.compile(r"^Bea, \d\d:\d\d$"))
    # Within the second in which they are gathered.
    bea.says_much(*(f"and {number}" for number in range(5)))
    expect(spoken).to_contain_text("new messages")
    expect(spoken).not_to_contain_text("and 0")


def test_a_favourite_stands_above_the_other_rooms(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    clara.creates(f"Zoo {clara.name}")
    clara.goes_home()
    clara.creates(f"Attic {clara.name}")
    names = clara.page.locator(".room-name")
    expect(names).to_have_text([f"Attic {clara.name}", f"Zoo {clara.name}"])
    clara.enters(f"Zoo {clara.name}")
    clara.opens_details()
    clara.page.get_by_role("button", name="Favourite").click()
    expect(names).to_have_text([f"Zoo {clara.name}", f"Attic {clara.name}"])
    expect(clara.page.get_by_role("button", name="Favourite")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_my_name_and_the_connection_are_at_the_bottom(meet: Meet) -> None:
    server = Server().start()
    try:
        clara = meet(server)
        account = clara.page.locator(".account summary")
        expect(account).to_contain_text(clara.name)
        expect(account).to_contain_text("Connected")
        server.kill9()
        expect(account).to_contain_text("Connecting…")
        server.start()
        expect(account).to_contain_text("Connected", timeout=20_000)
    finally:
        server.remove()


def test_code_is_copied(ana: Person, bea: Person, room: str) -> None:
    bea.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ana.says("Two of them:\n```python\nx = 1\n```\nand\n```\n<b>&amp;</b>\n```")
    message = bea.sees("Two of them")
    message.hover()
    copy = message.get_by_role("button", name="Copy the code")
    expect(copy).to_have_count(2)
    copy.nth(1).click()
    expect(bea.page.get_by_role("alert")).to_contain_text("The code is copied.")
    until(bea.page, COPIED, "<b>&amp;</b>\n")
    # By the keyboard from the message on; from elsewhere the tab key passes them by.
    bea.composer.focus()
    expect(copy.first).to_have_attribute("tabindex", "-1")
    message.focus()
    bea.page.keyboard.press("Tab")
    expect(copy.first).to_be_focused()
    bea.page.keyboard.press("Enter")
    until(bea.page, COPIED, "x = 1\n")
    bea.composer.focus()
    expect(copy.first).to_have_attribute("tabindex", "-1")
    # What an edit brings has its buttons, too.
    ana.chooses("Two of them", "Edit")
    expect(ana.composer).to_have_value(re.compile("Two of them"))
    ana.says("Now one:\n```\ny = 2\n```")
    expect(bea.sees("Now one").get_by_role("button", name="Copy the code")).to_have_count(1)


def test_the_tools_of_the_first_message_in_view(ana: Person, bea: Person, room: str) -> None:
    """They stand above a message, or in it where the view ends above it."""
    ana.page.set_viewport_size({"width": 390, "height": 844})
    ana.says_much(*(f"line {number}" for number in range(60)))
    message = ana.sees("line 30")
    message.evaluate("message => message.scrollIntoView({block: 'start'})")
    message.focus()
    top = ana.log.bounding_box()
    tools = message.locator(".tools").bounding_box()
    assert top
    assert tools
    assert tools["y"] >= top["y"]


def test_that_i_am_here_is_no_news(ana: Person, bea: Person) -> None:
    ana.creates("Alone")
    expect(ana.page.get_by_role("button", name="Details", exact=True)).to_be_visible()
    bea.writes_to("Ana")
    ana.opens(bea.slug)
    heading = ana.page.get_by_role("heading", level=1)
    expect(heading.locator(".here-dot")).to_be_visible()
    expect(ana.page.locator(".here-count")).to_have_count(0)
    ana.opens_details()
    expect(ana.page.locator("#details .member")).to_have_count(2)
    expect(ana.page.locator("#details .role")).to_have_count(0)
    bea.goes_home()
    expect(heading.locator(".here-dot")).to_have_count(0)


def test_who_is_here_stands_first(ana: Person, bea: Person, meet: Meet, embedded: Server) -> None:
    zoe = meet(embedded)
    slug = ana.creates("Who stands first")
    for person in (bea, zoe):
        person.opens(slug)
        person.joins()
    bea.goes_home()
    ana.opens_details()
    names = ana.page.locator("#details .member .who > bdi")
    expect(names).to_have_text(["Ana", zoe.name, "Bea"])
    bea.opens(slug)
    expect(names).to_have_text(["Ana", "Bea", zoe.name])


def test_what_waits_behind_a_refused_message_says_so(ana: Person, bea: Person, room: str) -> None:
    bea.loses_the_network()
    bea.says("refused")
    bea.says("behind it")
    expect(bea.unsent("refused")).not_to_contain_text("Waiting")
    expect(bea.unsent("behind it")).to_contain_text("Waiting for the connection")
    ana.archives_the_room()
    bea.has_the_network_again()
    expect(bea.unsent("refused")).to_contain_text("Not sent")
    expect(bea.unsent("behind it")).to_contain_text("Waiting for the message above")
    ana.opens_the_room_again()
    bea.retries("refused")
    ana.sees("behind it")


def test_what_is_opened_later_opens_without_a_connection(ana: Person, room: str) -> None:
    ana.opens(room)
    with ana.page.expect_response(re.compile("switcher.js")):
        ana.page.keyboard.press("Shift")
    ana.page.wait_for_load_state("networkidle")
    ana.loses_the_network()
    ana.page.keyboard.press("Control+k")
    expect(ana.page.get_by_role("dialog")).to_be_visible()


def test_what_is_read_stays_where_it_was_chosen(ana: Person, bea: Person) -> None:
    """Under the pointer nothing moves: a room leaves the unread ones when another is opened."""
    bea.opens(ana.creates("Read under the pointer"))
    bea.joins()
    other = ana.creates("Another place")
    bea.says("hola")
    ana.has_unread("Read under the pointer")
    section = ana.page.locator("#sidebar section", has_text="Unread")
    section.get_by_role("link", name="Read under the pointer").click()
    ana.sees("hola")
    link = section.locator(".room-link", has_text="Read under the pointer")
    expect(link).to_have_attribute("aria-current", "page")
    expect(link).not_to_have_class(re.compile("unread"))
    ana.page.locator(f"#sidebar .room-link[href*='{other}']").click()
    expect(link).to_have_count(0)


def test_letters_find_the_composer(ana: Person, bea: Person, room: str) -> None:
    """After something was done by the pointer, whoever writes on means to write."""
    bea.says("what do you think?")
    ana.sees("what do you think?")
    ana.reacts_to("what do you think?", "👍")
    ana.sees_reaction("what do you think?", "👍", 1)
    ana.page.keyboard.type("really good")
    expect(ana.composer).to_have_value("really good")
    expect(ana.page.locator(".composer-about")).to_have_count(0)
    ana.page.locator(".room-header h1").click()
    ana.page.keyboard.type("!")
    expect(ana.composer).to_have_value("really good!")


def test_out_of_an_empty_field_and_back(ana: Person, room: str) -> None:
    ana.opens(room)
    expect(ana.composer).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(ana.log).to_be_focused()
    ana.page.keyboard.press("?")
    expect(ana.page.get_by_role("dialog", name="Keys")).to_be_visible()
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("Escape")
    expect(ana.composer).to_be_focused()


def test_what_cannot_be_loaded_leaves_nothing_behind(ana: Person, room: str) -> None:
    """As when the server is newer than the page."""
    broken = {"content_type": "text/javascript", "body": "import { gone } from './dom.js';"}
    ana.page.route("**/details.js", lambda route: route.fulfill(**broken))
    ana.opens(room)
    ana.page.locator("#details-button").click()
    ana.is_told(re.compile("could not be loaded"))
    expect(ana.page.locator("#details")).to_be_hidden()
    expect(ana.page.locator("#details-button")).to_have_attribute("aria-expanded", "false")
