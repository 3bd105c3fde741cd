"""A visitor in the shop and agents on their page, each in a browser of his own: whatever happens to
their connections and tabs, everything arrives once and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .inbox import Agent
from .pages import PATIENCE
from .widget import Desk, Visitor, open_desk


@pytest.fixture
def desk(embedded: Server, browser: Browser) -> Iterator[Desk]:
    with open_desk(embedded, browser) as made:
        yield made


@pytest.fixture
def visitor(desk: Desk) -> Visitor:
    return desk.visitor().goes_to("/cup").opens()


def employed(meet: Meet, desk: Desk) -> Agent:
    """An agent of the shop's inbox, before its page."""
    agent = Agent(meet(desk.server))
    desk.inbox.employ(agent.name)
    agent.opens_the_inbox()
    return agent


def takes_up(agent: Agent, text: str) -> None:
    """Opens the only conversation, in which this is said."""
    expect(agent.rows).to_have_count(1, timeout=PATIENCE)
    agent.rows.first.click()
    agent.sees(text, ".theirs")


def asked_of(*agents: Agent) -> Agent:
    """Who is asked what is to become of his answer; one of them will be."""
    deadline = time.monotonic() + PATIENCE / 1000
    while True:
        for agent in agents:
            if agent.guard.is_visible():
                return agent
        assert time.monotonic() < deadline, "nobody is asked"
        agents[0].page.wait_for_timeout(50)


def texts_at(agent: Agent) -> list[str]:
    return agent.log.locator("article.message .text").all_inner_texts()


def test_they_talk_both_ways_through_cuts_and_a_closed_tab(
    meet: Meet, desk: Desk, visitor: Visitor
) -> None:
    ana = employed(meet, desk)
    visitor.says("Does the cup fit in a machine?")
    takes_up(ana, "Does the cup fit in a machine?")
    visitor.sees("Does the cup fit in a machine?", state="Read")
    ana.looks()
    ana.answers("It does.")
    visitor.sees("It does.", by=ana.name)
    # A cut connection, with words on both sides of it.
    visitor.loses_the_network()
    visitor.says("And the bowl?")
    ana.answers("So does the bowl.")
    ana.sees("So does the bowl.", ".ours")
    visitor.has_the_network_again()
    visitor.sees("So does the bowl.")
    visitor.sees("And the bowl?", state="Read")
    ana.sees("And the bowl?", ".theirs")
    ana.looks()
    # A tab that is closed while he writes, with something that is not sent.
    visitor.loses_the_network()
    visitor.says("I take two.")
    visitor.keeps("I take two.")
    visitor.composer.press_sequentially("Half a sent")
    visitor.closes_the_tab()
    visitor.has_the_network_again()
    ana.answers("Anything else?")
    ana.sees("Anything else?", ".ours")
    visitor.opens_a_tab("/bowl").opens()
    visitor.sees("I take two.", state="Read")
    ana.sees("I take two.", ".theirs")
    ana.looks()
    ana.answers("They are on their way.")
    visitor.sees("They are on their way.")
    wanted = [
        *("Does the cup fit in a machine?", "It does.", "So does the bowl.", "And the bowl?"),
        *("Anything else?", "I take two.", "They are on their way."),
    ]
    assert visitor.texts() == texts_at(ana) == wanted


def test_the_page_that_he_writes_from_is_the_one_that_agents_see(
    meet: Meet, desk: Desk, visitor: Visitor
) -> None:
    """A site may lead from page to page without loading any."""
    ana = employed(meet, desk)
    visitor.says("About this one")
    takes_up(ana, "About this one")
    facts = ana.page.locator("tertulia-visitor .facts").first
    expect(facts).not_to_contain_text("/teapot")
    visitor.page.evaluate("() => history.pushState(null, '', '/teapot')")
    visitor.says("And about this one?")
    ana.sees("And about this one?", ".theirs")
    expect(facts).to_contain_text("/teapot")
    assert visitor.texts() == ["About this one", "And about this one?"]


def test_what_nobody_has_received_waits_for_the_first_who_comes(
    meet: Meet, desk: Desk, visitor: Visitor
) -> None:
    visitor.says("Is anybody there?")
    visitor.sees("Is anybody there?", state="Sent")
    ana = employed(meet, desk)
    expect(ana.rows).to_have_count(1, timeout=PATIENCE)
    visitor.sees("Is anybody there?", state="Delivered")
    visitor.says("Hello?")
    visitor.sees("Hello?", state="Delivered")
    # Which would not go with "Nobody is here".
    expect(visitor.frame.locator("header .presence")).to_have_text("We are here", timeout=PATIENCE)
    # Said with what is said last, and again after a reload.
    visitor.page.reload()
    visitor.sees("Hello?", state="Delivered")
    takes_up(ana, "Hello?")
    visitor.sees("Hello?", state="Read")


def test_of_two_agents_who_answer_at_once_the_second_is_asked(
    meet: Meet, desk: Desk, visitor: Visitor
) -> None:
    ana, bea = employed(meet, desk), employed(meet, desk)
    visitor.says("Where is my order?")
    for agent in (ana, bea):
        takes_up(agent, "Where is my order?")
    visitor.sees("Where is my order?", state="Read")
    bea.looks()
    ana.reply.fill("It is in the post.")
    bea.reply.fill("I do not know.")
    ana.reply.press("Enter")
    bea.reply.press("Enter")
    # Each browser keeps an answer before it sends it, so either may come first.
    said = [(ana, "It is in the post."), (bea, "I do not know.")]
    (first, answer), (second, held_up) = said if asked_of(ana, bea) is bea else reversed(said)
    expect(second.guard.locator(".guard-news .text")).to_have_text([answer])
    visitor.sees(answer, by=first.name)
    assert visitor.texts() == ["Where is my order?", answer]
    second.guard.get_by_role("button", name="Send anyway").click()
    visitor.sees(held_up, by=second.name)
    visitor.says("Thank you both.")
    wanted = ["Where is my order?", answer, held_up, "Thank you both."]
    for agent in (ana, bea):
        agent.sees("Thank you both.", ".theirs")
        assert texts_at(agent) == wanted
    assert visitor.texts() == wanted


def test_what_is_resolved_and_begun_anew_are_two_rows(
    meet: Meet, desk: Desk, visitor: Visitor
) -> None:
    ana = employed(meet, desk)
    visitor.says("My cup is broken")
    takes_up(ana, "My cup is broken")
    ana.does("Resolve")
    visitor.frame.get_by_role("button", name="Start a new conversation").click()
    visitor.says("And now my bowl")
    # It stands in her list, and nobody has looked at it yet.
    visitor.sees("And now my bowl", state="Delivered")
    ana.opens_the_inbox()
    takes_up(ana, "And now my bowl")
    assert texts_at(ana) == visitor.texts() == ["And now my bowl"]
