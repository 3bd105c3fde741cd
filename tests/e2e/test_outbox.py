"""What is said without a connection is kept, then sent once and in order; or it says why not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Computer, Meet
from .pages import PATIENCE, Person

Refuse = Callable[[Page, str, dict[str, Any]], None]


@pytest.fixture
def refuse() -> Refuse:
    """`refuse(page, text, error)`: the first time that this page sends this text, the answer is
    that error. To be said before the page is opened."""

    def arrange(page: Page, text: str, error: dict[str, Any]) -> None:
        refused: list[str] = []

        def between(route: WebSocketRoute) -> None:
            server = route.connect_to_server()

            def pass_on(frame: str | bytes) -> None:
                command = json.loads(frame)
                if command["type"] == "message.send" and command["text"] == text and not refused:
                    refused.append(text)
                    reply = {"type": "reply", "ref": command["ref"], "ok": False, "error": error}
                    route.send(json.dumps(reply))
                else:
                    server.send(frame)

            route.on_message(pass_on)

        page.route_web_socket(re.compile("/ws/"), between)

    return arrange


def test_a_closed_browser_sends_when_it_is_back(
    computer: Computer, meet: Meet, embedded: Server
) -> None:
    bea = meet(embedded)
    slug = bea.creates("Far away")
    embedded.createuser("traveller", password=PASSWORD)
    ana = Person(computer.page(), embedded.url)
    ana.signs_in("traveller", PASSWORD)
    ana.opens(slug)
    ana.joins()
    ana.loses_the_network()
    for text in ("first", "second", "third"):
        ana.says(text)
    ana.sees_unsent("first", "second", "third")
    ana.is_told("3 messages wait")
    ana.keeps("first", "second", "third")
    computer.closes_the_browser()
    # On any page of the chat: the room itself need not be opened.
    ana = Person(computer.page(), embedded.url)
    ana.goes_home()
    bea.sees("third", by="traveller")
    ana.opens(slug)
    ana.sees("third")
    assert ana.texts() == bea.texts() == ["first", "second", "third"]


def test_a_closed_tab_leaves_its_messages_to_another(ana: Person, bea: Person) -> None:
    bea.opens(ana.creates("Two tabs"))
    other = ana.opens_another_tab()
    ana.loses_the_network()
    other.says("from the other tab")
    other.sees_unsent("from the other tab")
    # Both show what waits, so the tab may go.
    ana.sees_unsent("from the other tab")
    ana.says("from this one")
    other.sees_unsent("from the other tab", "from this one")
    other.closes_the_tab()
    ana.has_the_network_again()
    bea.sees("from this one")
    ana.sees("from this one")
    assert ana.texts() == bea.texts() == ["from the other tab", "from this one"]


def test_three_tabs_write_at_once(ana: Person, bea: Person) -> None:
    bea.opens(ana.creates("Three tabs"))
    tabs = [ana, ana.opens_another_tab(), ana.opens_another_tab()]

    def all_write(when: str) -> list[str]:
        said = [
            (f"{when} {turn}{letter}", tab)
            for turn in "12"
            for letter, tab in zip("abc", tabs, strict=True)
        ]
        for text, tab in said:
            tab.says(text)
        return [text for text, _ in said]

    ana.loses_the_network()
    offline = all_write("offline")
    for tab in tabs:
        tab.sees_unsent(*offline)
    ana.has_the_network_again()
    online = all_write("online")
    for person in (*tabs, bea):
        expect(person.log.locator("article[data-seq]")).to_have_count(12, timeout=PATIENCE)
        person.sees_unsent()
    for person in tabs:
        assert person.texts() == bea.texts()
    # What waited goes first, in the order of writing; then each tab's own order is kept.
    assert bea.texts()[:6] == offline
    for letter in "abc":
        own = [text for text in bea.texts() if text.endswith(letter)]
        assert own == [text for text in (*offline, *online) if text.endswith(letter)]


def test_a_tab_without_the_network_is_helped_by_another(ana: Person, bea: Person) -> None:
    bea.opens(ana.creates("One tab is cut off"))
    ana.opens_another_tab()
    ana.loses_the_network(in_this_tab=True)
    ana.says("by the other tab")
    bea.sees("by the other tab")
    ana.has_the_network_again(in_this_tab=True)
    ana.sees("by the other tab")


def test_the_tab_that_sends_is_closed_while_messages_wait(
    meet: Meet, embedded: Server, bea: Person, refuse: Refuse
) -> None:
    ana = meet(embedded)
    bea.opens(ana.creates("The first one goes"))
    refuse(ana.page, "one", {"code": "unavailable", "detail": "No.", "retry_after": 600})
    ana.reloads()
    expect(ana.composer).to_be_visible()
    other = ana.opens_another_tab()
    for text in ("one", "two", "three"):
        other.says(text)
    other.sees_unsent("one", "two", "three")
    expect(other.unsent("one")).to_contain_text("Sent again in")
    ana.closes_the_tab()
    other.sees("three")
    bea.sees("three")
    assert bea.texts() == ["one", "two", "three"]


def test_a_sleeping_tab_is_passed_over(ana: Person, bea: Person) -> None:
    bea.opens(ana.creates("Asleep"))
    other = ana.opens_another_tab()
    # Stopped by a debugger as soon as it hears of something: it keeps its lock, and does nothing.
    session = ana.page.context.new_cdp_session(ana.page)
    session.send("Debugger.enable")
    session.send("Debugger.pause")
    other.says("wake up")
    bea.sees("wake up")
    session.detach()
    ana.sees("wake up")


def test_refused_messages_hold_up_the_later_ones(ana: Person, bea: Person) -> None:
    slug = bea.creates("Closed meanwhile")
    ana.opens(slug)
    ana.joins()
    other = ana.opens_another_tab()
    ana.loses_the_network()
    ana.says("too late")
    ana.says("really")
    bea.archives_the_room()
    ana.has_the_network_again()
    for tab in (ana, other):
        expect(tab.unsent("too late")).to_contain_text("Not sent", timeout=PATIENCE)
        expect(tab.unsent("really")).not_to_contain_text("Not sent")
    # Discarded in one tab it is gone in both, and it is the next one's turn.
    other.discards("too late")
    expect(ana.unsent("too late")).to_have_count(0)
    expect(ana.unsent("really")).to_contain_text("Not sent")
    bea.opens_the_room_again()
    ana.retries("really")
    bea.sees("really")
    other.sees("really")
    assert bea.texts() == ["really"]


def test_too_fast_is_told_and_sent_by_itself_in_order(
    meet: Meet, embedded: Server, bea: Person, refuse: Refuse
) -> None:
    ana = meet(embedded)
    slug = ana.creates("In a hurry")
    bea.opens(slug)
    refuse(ana.page, "one", {"code": "rate_limited", "detail": "No.", "retry_after": 8})
    ana.reloads()
    ana.says("one")
    ana.says("two")
    expect(ana.unsent("one")).to_contain_text(re.compile(r"Too fast: sent again in [1-8] s"))
    for person in (ana, bea):
        person.sees("two")
        assert person.texts() == ["one", "two"]


def test_the_server_restarts_in_between(meet: Meet) -> None:
    server = Server(env={"TERTULIA_SIGNUP": "open"}).start()
    try:
        ana, bea = meet(server), meet(server)
        bea.opens(ana.creates("Restarted"))
        other = ana.opens_another_tab()
        server.kill9()
        ana.says("one")
        ana.sees_unsent("one")
        other.sees_unsent("one")
        other.says("two")
        ana.sees_unsent("one", "two")
        ana.says("three")
        server.start()
        for person in (ana, other, bea):
            person.sees("three")
            person.sees("one")
            assert person.texts() == ["one", "two", "three"]
    finally:
        server.remove()


def test_what_is_too_long_is_never_queued(ana: Person, bea: Person) -> None:
    bea.opens(ana.creates("Short and good"))
    ana.loses_the_network()
    ana.composer.fill("x" * 10_001)
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value("x" * 10_001)
    ana.sees_unsent()
    ana.says("brief")
    ana.sees_unsent("brief")
    ana.has_the_network_again()
    bea.sees("brief")
    assert bea.texts() == ["brief"]


def test_somebody_else_at_the_same_browser_sends_none_of_it(meet: Meet, embedded: Server) -> None:
    ana = meet(embedded)
    slug = ana.creates("Shared computer")
    embedded.createuser("borrower", password=PASSWORD)
    ana.loses_the_network()
    ana.says("mine alone")
    ana.sees_unsent("mine alone")
    ana.keeps("mine alone")
    # Signed out without this page hearing of it: the cookie is gone, the message is not.
    ana.page.goto("about:blank")
    ana.page.context.clear_cookies()
    ana.has_the_network_again()
    page = ana.page
    borrower = Person(page, embedded.url)
    borrower.signs_in("borrower", PASSWORD)
    borrower.opens(slug)
    borrower.joins()
    borrower.says("I borrow this")
    borrower.sees("I borrow this")
    borrower.sees_unsent()
    borrower.signs_out()
    ana = Person(page, embedded.url, ana.name)
    ana.signs_in(ana.name, PASSWORD)
    ana.opens(slug)
    ana.sees("mine alone", by=ana.name)
    assert ana.texts() == ["I borrow this", "mine alone"]
