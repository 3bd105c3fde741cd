"""A visitor of a shop and an agent talk: what each sees, and that nothing is lost in between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tertulia.testing.server import Server
from tests.support.desk import DeskAgent

from .widget import INTRODUCTION, Desk, Visitor, open_desk

TEXTS = {"en": {"title": "Barro y Fuego", "greeting": "Ask us anything."}}


@pytest.fixture
def desk(embedded: Server, browser: Browser) -> Iterator[Desk]:
    with open_desk(embedded, browser, texts=TEXTS) as made:
        yield made


@pytest.fixture
def agent(desk: Desk) -> DeskAgent:
    return desk.agent()


@pytest.fixture
def visitor(desk: Desk) -> Visitor:
    return desk.visitor().goes_to("/cup?colour=blue")


def test_what_a_visitor_says_reaches_an_agent_and_the_answer_comes_back(
    desk: Desk, agent: DeskAgent, visitor: Visitor
) -> None:
    visitor.opens()
    expect(visitor.log).to_contain_text("Ask us anything.")
    visitor.says("Does the cup fit in a machine?")
    visitor.says("And the bowl?")
    visitor.sees("And the bowl?", state="Sent")
    conversation = agent.takes()
    # What follows the path may be a secret between the shop and him.
    assert conversation["url"] == f"{desk.site}/cup"
    room = conversation["room"]
    agent.says(room, "Both do.")
    visitor.sees("Both do.", by=agent.name)
    assert agent.messages(room) == ["Does the cup fit in a machine?", "And the bowl?", "Both do."]
    assert visitor.texts() == agent.messages(room)


def test_nobody_is_made_known_before_he_writes(agent: DeskAgent, visitor: Visitor) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.opens()
    visitor.composer.focus()
    assert not any("/visitor/" in url for url in asked)
    visitor.composer.press("H")
    expect(visitor.composer).to_have_value("H")
    visitor.says("Hello")
    agent.takes()
    assert sum("/visitor/" in url for url in asked) == 1


def test_it_says_what_is_read_and_who_types(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens().says("Hello")
    room = agent.takes()["room"]
    visitor.sees("Hello", state="Sent")
    agent.reads(room)
    visitor.sees("Hello", state="Read")
    visitor.says("Are you there?")
    visitor.sees("Are you there?", state="Sent")
    visitor.sees("Hello", state="Read")
    agent.request("typing.start", room=room)
    expect(visitor.log.locator(".typing")).to_contain_text(f"{agent.name} is typing…")
    agent.says(room, "Yes")
    expect(visitor.log.locator(".typing")).to_have_count(0)
    # Who answers has read what was said before.
    visitor.sees("Are you there?", state="Read")
    # It is not only news: who comes back sees it too.
    visitor.page.reload()
    visitor.sees("Are you there?", state="Read")


def test_the_agent_sees_the_visitor_type_and_read(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens().says("Hello")
    room = agent.takes()["room"]
    visitor.sees("Hello", state="Sent")
    visitor.composer.press_sequentially("And")
    typing = agent.waits_for("typing.started", room=room)
    assert typing["who"]["kind"] == "visitor"
    seq = agent.says(room, "Hi")
    # And behind it that she has taken the conversation by that.
    agent.waits_for("read.changed", room=room, read=seq + 1)


def test_the_agent_who_answers_is_named(desk: Desk, agent: DeskAgent) -> None:
    desk.waits_for_somebody()
    visitor = desk.visitor().goes_to().opens()
    visitor.says("Hello")
    room = agent.takes()["room"]
    header = visitor.frame.locator("header")
    expect(header).to_contain_text("We are here")
    agent.request("conversation.assign", room=room, agent=agent.id)
    expect(header).to_contain_text(f"{agent.name} is answering you")


def test_the_button_counts_what_is_unread(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.button.is_called("Open the chat")
    visitor.opens().says("Hello")
    room = agent.takes()["room"]
    visitor.composer.press("Escape")
    visitor.button.is_open(False)
    agent.says(room, "One")
    visitor.button.is_called("Open the chat, 1 unread message")
    agent.says(room, "Two")
    visitor.button.is_called("Open the chat, 2 unread messages")
    visitor.opens()
    visitor.button.is_called("Close the chat")
    visitor.composer.press("Escape")
    visitor.button.is_called("Open the chat")


def test_a_page_on_which_it_was_not_opened_counts_too(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens().says("Hello")
    room = agent.takes()["room"]
    visitor.sees("Hello", state="Sent")
    visitor.closes_the_tab()
    seq = agent.says(room, "An answer")
    asked: list[str] = []
    visitor.page = visitor._new_page()
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.goes_to("/bowl")
    visitor.button.is_called("Open the chat, 1 unread message")
    # Nothing of the conversation was loaded for it.
    assert not any("/static/" in url for url in asked)
    visitor.opens().sees("An answer")
    # Whoever closes it before it is in view has not read it.
    agent.waits_for("read.changed", room=room, read=seq + 1)
    visitor.composer.press("Escape")
    visitor.button.is_called("Open the chat")
    visitor.goes_to("/")
    visitor.button.is_called("Open the chat")


def test_it_is_opened_and_left_with_the_keyboard(visitor: Visitor) -> None:
    visitor.button.is_open(False)
    for _ in range(20):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate("document.activeElement?.dataset.tertulia === ''"):
            break
    visitor.button.has_focus()
    visitor.page.keyboard.press("Enter")
    visitor.button.is_open(True)
    expect(visitor.composer).to_be_focused()
    visitor.page.keyboard.type("Hello")
    visitor.page.keyboard.press("Escape")
    visitor.button.is_open(False)
    visitor.button.has_focus()
    # What is closed is not in the way of the tab key.
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate("document.activeElement?.tagName") != "IFRAME"
    visitor.opens()
    expect(visitor.composer).to_have_value("Hello")


def test_the_next_page_has_it_open_and_leaves_the_keyboard_alone(
    agent: DeskAgent, visitor: Visitor
) -> None:
    visitor.opens().says("Hello")
    room = agent.takes()["room"]
    visitor.goes_to("/bowl")
    visitor.sees("Hello", state="Sent")
    visitor.button.is_open(True)
    assert visitor.page.evaluate("document.activeElement === document.body")
    agent.says(room, "Hi")
    visitor.sees("Hi")


def test_two_tabs_show_the_same(desk: Desk, agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens().says("From the first")
    room = agent.takes()["room"]
    second = Visitor(visitor.context, desk.site, desk.faults)
    second.goes_to("/bowl").opens()
    second.says("From the second")
    visitor.sees("From the second", state="Sent")
    agent.says(room, "Both are here")
    visitor.sees("Both are here")
    second.sees("Both are here")
    assert agent.messages(room) == ["From the first", "From the second", "Both are here"]


def test_earlier_messages_come_when_they_are_looked_for(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens().says("The very first")
    room = agent.takes()["room"]
    for number in range(70):
        agent.says(room, f"answer {number}.")
    visitor.sees("answer 69.")
    visitor.page.reload()
    visitor.sees("answer 69.")
    expect(visitor.said("The very first")).to_have_count(0)
    visitor.log.evaluate("log => { log.scrollTop = 0 }")
    visitor.sees("answer 20.")
    # What is read stays where it is, and so not everything comes at once.
    expect(visitor.said("The very first")).to_have_count(0)
    visitor.log.evaluate("log => { log.scrollTop = 0 }")
    visitor.sees("The very first")
    assert visitor.texts() == ["The very first", *(f"answer {number}." for number in range(70))]
    agent.says(room, "At the end")
    expect(visitor.frame.get_by_role("button", name="1 new")).to_be_visible()
    visitor.frame.get_by_role("button", name="1 new").click()
    expect(visitor.said("At the end")).to_be_in_viewport()


def test_what_was_said_offline_survives_the_end_of_the_tab(
    agent: DeskAgent, visitor: Visitor
) -> None:
    visitor.opens().says("Online")
    room = agent.takes()["room"]
    visitor.sees("Online", state="Sent")
    visitor.loses_the_network()
    visitor.says("Offline, first")
    visitor.says("Offline, second")
    visitor.sees("Offline, second", state="Waiting for the connection")
    visitor.keeps("Offline, first", "Offline, second")
    visitor.closes_the_tab()
    visitor.has_the_network_again()
    visitor.opens_a_tab("/bowl").opens()
    visitor.sees("Offline, second", state="Sent")
    assert agent.messages(room) == ["Online", "Offline, first", "Offline, second"]


def test_what_was_said_offline_is_sent_by_the_next_page_as_it_is(
    agent: DeskAgent, visitor: Visitor
) -> None:
    """Nobody sees the conversation there: nothing is read, and the keyboard stays where it is."""
    visitor.opens().says("Online")
    room = agent.takes()["room"]
    visitor.sees("Online", state="Sent")
    visitor.loses_the_network()
    visitor.says("Offline, first")
    visitor.says("Offline, second")
    visitor.keeps("Offline, first", "Offline, second")
    visitor.has_unsent(2)
    visitor.closes_the_tab()
    visitor.has_the_network_again()
    visitor.opens_a_tab("/bowl").button.is_open(False)
    visitor.has_unsent(0)
    assert agent.messages(room) == ["Online", "Offline, first", "Offline, second"]
    agent.says(room, "All of it has come")
    visitor.button.is_called("Open the chat, 1 unread message")
    assert visitor.page.evaluate("document.activeElement === document.body")
    # With everything sent, the page after it only asks whether there is an answer.
    with visitor.page.expect_response("**/unread/"):
        visitor.goes_to("/cup")
    visitor.button.is_called("Open the chat, 1 unread message")
    visitor.has_no_frame()
    visitor.opens().sees("All of it has come")
    assert visitor.texts() == agent.messages(room)


def test_on_a_telephone_the_first_words_are_sent_by_the_next_page_too(
    desk: Desk, agent: DeskAgent
) -> None:
    visitor = desk.visitor(viewport={"width": 390, "height": 780}, has_touch=True)
    visitor.goes_to().opens()
    visitor.cannot_be_introduced()
    visitor.says("Somebody new")
    visitor.sees("Somebody new", state="Waiting for the connection")
    visitor.keeps("Somebody new")
    visitor.has_unsent(1)
    visitor.can_be_introduced_again()
    visitor.goes_to("/bowl").button.is_open(False)
    assert agent.messages(agent.takes()["room"]) == ["Somebody new"]
    visitor.has_unsent(0)
    visitor.button.is_open(False)


def test_a_page_that_was_there_already_sends_what_another_could_not(
    agent: DeskAgent, visitor: Visitor
) -> None:
    other = visitor.opens_another_tab("/bowl")
    other.button.is_open(False)
    visitor.opens()
    visitor.cannot_be_introduced()
    visitor.says("Left behind")
    visitor.keeps("Left behind")
    visitor.has_unsent(1)
    visitor.closes_the_tab()
    visitor.can_be_introduced_again()
    # He looks at it again: the browsers of tests show all tabs at once.
    other.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert agent.messages(agent.takes()["room"]) == ["Left behind"]
    other.button.is_open(False)


def has_lost_what_is_unsent(visitor: Visitor, desk: Desk) -> None:
    """The site knows of a message which the chat's frames keep no more."""
    entry = [f"tertulia:{desk.inbox.id}:outbox:lost", json.dumps({"key": "lost"})]
    visitor.page.evaluate("([name, value]) => localStorage.setItem(name, value)", entry)


def test_a_frame_that_nobody_waits_for_and_that_does_not_come_is_loaded_anew(
    desk: Desk, visitor: Visitor
) -> None:
    pages = f"**/support/{desk.inbox.id}/?*"
    has_lost_what_is_unsent(visitor, desk)
    visitor.context.route(pages, lambda route: route.abort("connectionrefused"))
    with visitor.page.expect_event("framedetached"):
        visitor.goes_to("/bowl")
    visitor.context.unroute(pages)
    visitor.opens()


def test_a_mark_of_what_the_browser_lost_goes(desk: Desk, visitor: Visitor) -> None:
    has_lost_what_is_unsent(visitor, desk)
    visitor.goes_to("/bowl").button.is_open(False)
    visitor.has_unsent(0)


def test_the_first_words_wait_for_the_connection_too(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens()
    visitor.context.set_offline(True)
    visitor.says("One")
    visitor.says("Two")
    visitor.has_the_network_again()
    visitor.sees("Two", state="Sent")
    assert agent.messages(agent.takes()["room"]) == ["One", "Two"]


def test_the_first_words_survive_the_end_of_the_tab(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens()
    visitor.cannot_be_introduced()
    visitor.says("One")
    visitor.says("Two")
    visitor.sees("Two", state="Waiting for the connection")
    visitor.keeps("One", "Two")
    visitor.closes_the_tab()
    visitor.opens_a_tab("/bowl").opens()
    assert visitor.sees("One").is_visible()
    visitor.says("Three")
    visitor.can_be_introduced_again()
    visitor.sees("Three", state="Sent")
    assert visitor.texts() == agent.messages(agent.takes()["room"]) == ["One", "Two", "Three"]
    visitor.keeps_only()
    visitor.closes_the_tab()
    visitor.opens_a_tab()
    assert visitor.kept() == []


def test_a_tab_and_its_double_send_one_message(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens()
    visitor.cannot_be_introduced()
    visitor.says("Once")
    visitor.sees("Once", state="Waiting for the connection")
    visitor.keeps("Once")
    double = visitor.duplicates_the_tab()
    double.sees("Once", state="Waiting for the connection")
    visitor.can_be_introduced_again()
    for tab in (visitor, double):
        tab.sees("Once", state="Sent")
    (conversation,) = agent.conversations()
    double.says("From the double")
    visitor.sees("From the double", state="Sent")
    assert agent.messages(conversation["room"]) == ["Once", "From the double"]
    assert visitor.texts() == double.texts() == ["Once", "From the double"]


def test_two_tabs_of_somebody_new_are_one_visitor(agent: DeskAgent, visitor: Visitor) -> None:
    visitor.opens()
    second = visitor.opens_another_tab("/bowl").opens()
    visitor.cannot_be_introduced()
    visitor.says("From the first")
    # Which is first is what the browser has kept first.
    visitor.keeps("From the first")
    second.says("From the second")
    second.keeps("From the second")
    for tab, text in ((visitor, "From the first"), (second, "From the second")):
        tab.sees(text, state="Waiting for the connection")
    visitor.can_be_introduced_again()
    for tab in (visitor, second):
        tab.sees("From the second", state="Sent")
        tab.sees("From the first")
    (conversation,) = agent.conversations()
    assert agent.messages(conversation["room"]) == ["From the first", "From the second"]


def test_who_is_asked_to_wait_does(desk: Desk, agent: DeskAgent, visitor: Visitor) -> None:
    asked: list[float] = []
    seen = False

    def busy(route: Route) -> None:
        asked.append(time.monotonic())
        if seen:
            route.continue_()
        else:
            route.fulfill(status=429, headers={"Retry-After": "4"})

    visitor.opens()
    visitor.context.route(INTRODUCTION, busy)
    visitor.says("I can wait")
    visitor.sees("I can wait", state="Waiting for the connection")
    seen = True
    visitor.sees("I can wait", state="Sent")
    assert asked[1] - asked[0] >= 4
    assert agent.messages(agent.takes()["room"]) == ["I can wait"]
    # That the browser says so is no fault of ours.
    assert all("429" in fault for fault in desk.faults)
    desk.faults.clear()


def test_a_server_that_is_killed_meanwhile_loses_and_doubles_nothing(browser: Browser) -> None:
    server = Server(env={"TERTULIA_LIMITS": "off"}).start()
    try:
        with open_desk(server, browser) as desk:
            agent = desk.agent()
            visitor = desk.visitor().goes_to().opens()
            visitor.says("before")
            room = agent.takes()["room"]
            for number in range(10):
                visitor.says(f"message {number}.")
                if number == 4:
                    server.kill9()
            server.start()
            visitor.sees("message 9.", state="Sent")
            agent = DeskAgent(server, agent.name, server.token(agent.name))
            wanted = ["before", *(f"message {number}." for number in range(10))]
            assert agent.messages(room) == wanted
            agent.says(room, "All of it is here.")
            visitor.sees("All of it is here.")
            assert visitor.texts() == [*wanted, "All of it is here."]
            agent.close()
    finally:
        server.remove()
