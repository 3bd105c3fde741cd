"""A room with a long past: read in both directions, and nothing jumps."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tertulia.testing.server import Server

from .pages import Person

COUNT = 420
MOST = 300

# Some are long, so that pages of fifty messages differ in height.
TEXTS = [f"number {n:03}." + " and so on" * (n % 7) * (n % 5) for n in range(COUNT)]

# Scrolls the log to a distance from its top (or, below zero, its end), waits until other messages
# are loaded, and answers by how many pixels those in view have moved.
SCROLL = """distance => new Promise(resolve => {
    const log = document.querySelector('[role="log"]');
    const articles = () => [...log.querySelectorAll('article')];
    const ends = () => [articles()[0].dataset.seq, articles().at(-1).dataset.seq].join();
    const before = ends();
    log.scrollTop = distance < 0 ? log.scrollHeight - log.clientHeight + distance : distance;
    const top = log.getBoundingClientRect().top;
    const anchor = articles().find(each => each.getBoundingClientRect().bottom > top);
    const place = anchor.getBoundingClientRect().top;
    const look = () => {
        if (ends() === before) requestAnimationFrame(look);
        else requestAnimationFrame(() => requestAnimationFrame(() =>
            resolve(anchor.isConnected ? anchor.getBoundingClientRect().top - place : null)));
    };
    look();
})"""


@pytest.fixture(scope="module")
def long_room(browser: Browser, embedded: Server, regulars: dict[str, Any]) -> str:
    """Its slug. Ana has said all of it, with Bea in it; tests add at its end only."""
    with browser.new_context(storage_state=regulars["Ana"], locale="en-GB") as context:
        ana = Person(context.new_page(), embedded.url, "Ana")
        ana.goes_home()
        slug = ana.creates("A long past")
        ana.adds("Bea")
        ana.says_much(*TEXTS)
        return slug


def numbers(person: Person) -> list[str]:
    """Of the messages that are loaded, from top to bottom."""
    return [text.split(".")[0] for text in person.texts()]


def test_there_and_back(bea: Person, long_room: str) -> None:
    everything = [text.split(".")[0] for text in TEXTS]
    bea.opens(long_room)
    bea.sees(everything[-1])
    # Up, page by page, to where it began.
    seen = numbers(bea)
    while not bea.log.locator(".beginning").count():
        moved = bea.page.evaluate(SCROLL, 350)
        assert moved is not None
        assert abs(moved) < 2
        loaded = numbers(bea)
        assert len(loaded) <= MOST
        seen = loaded[: loaded.index(seen[0])] + seen
    assert seen == everything
    expect(bea.log.locator(".beginning")).to_have_text("This is the beginning.")
    assert len(numbers(bea)) == MOST
    # And down again.
    while numbers(bea)[-1] != everything[-1]:
        moved = bea.page.evaluate(SCROLL, -350)
        assert moved is not None
        assert abs(moved) < 2
        loaded = numbers(bea)
        assert len(loaded) <= MOST
        first = everything.index(loaded[0])
        assert loaded == everything[first : first + len(loaded)]
    expect(bea.log.get_by_role("button", name="Show later messages")).to_have_count(0)


def test_to_the_first_message_and_back(bea: Person, long_room: str) -> None:
    bea.opens(long_room)
    bea.sees("number 419.")
    # The field takes the keyboard a moment after the messages have come.
    expect(bea.composer).to_be_focused()
    bea.log.press("Home")
    first = bea.sees("number 000.")
    expect(first).to_be_in_viewport()
    expect(first).to_be_focused()
    bea.does_not_see("number 419.")
    bea.page.get_by_role("button", name="To the newest ↓").click()
    expect(bea.sees("number 419.")).to_be_in_viewport()
    bea.does_not_see("number 000.")
    expect(bea.page.get_by_role("button", name="To the newest ↓")).to_have_count(0)
    expect(bea.log).to_be_focused()


def test_said_from_among_old_messages_without_a_connection(ana: Person, long_room: str) -> None:
    """It appears at once; when the connection is back, so does the present, with it at its end."""
    ana.opens(long_room, 10)
    ana.sees("number 005.")
    ana.does_not_see("number 419.")
    ana.loses_the_network()
    ana.says("from the past")
    expect(ana.unsent("from the past")).to_be_visible()
    ana.has_the_network_again()
    ana.sees("from the past")
    assert ana.texts()[-1] == "from the past"


def test_who_reads_the_past_is_not_disturbed(ana: Person, bea: Person, long_room: str) -> None:
    ana.opens(long_room)
    bea.opens(long_room)
    bea.sees("number 419.")
    middle = bea.message("number 400.")
    middle.evaluate("message => message.scrollIntoView({block: 'center'})")
    jump = bea.page.locator(".jump")
    expect(jump).to_have_text("To the newest ↓")
    place = middle.bounding_box()
    for number in range(3):
        ana.says(f"news {number}")
    expect(jump).to_have_text("3 new ↓")
    assert middle.bounding_box() == place
    # It is unread until it is seen.
    unread = bea.page.locator("#sidebar .room-link.unread", has_text="A long past")
    expect(unread).to_contain_text("3 unread messages")
    jump.click()
    expect(bea.sees("news 2")).to_be_in_viewport()
    expect(jump).to_have_count(0)
    expect(unread).to_have_count(0)
    # And who is at the end stays there.
    ana.says("one more")
    expect(bea.sees("one more")).to_be_in_viewport()


def test_much_said_below_what_is_read_does_not_pile_up(ana: Person, bea: Person) -> None:
    slug = ana.creates("Very busy")
    ana.says_much(*(f"before {n:02}." for n in range(40)))
    bea.opens(slug)
    middle = bea.sees("before 20.")
    middle.evaluate("message => message.scrollIntoView({block: 'center'})")
    # What comes before the page has noticed is not counted.
    expect(bea.page.locator(".jump")).to_have_text("To the newest ↓")
    ana.says_much(*(f"meanwhile {n:03}." for n in range(250)))
    ana.says_much(*(f"afterwards {n:03}." for n in range(150)))
    expect(bea.page.locator(".jump")).to_have_text("400 new ↓")
    expect(bea.log.get_by_role("button", name="Show later messages")).to_have_count(1)
    assert len(bea.seqs()) <= MOST + 50
    expect(middle).to_be_in_viewport()
    bea.page.locator(".jump").click()
    expect(bea.sees("afterwards 149.")).to_be_in_viewport()
