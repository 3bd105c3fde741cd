"""An answer that others have overtaken is not sent before its author has seen what they wrote; and
nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet
from .inbox import Agent, Desk, Visitor

Two = tuple[Agent, Agent, Visitor]


@pytest.fixture
def two(meet: Meet, embedded: Server) -> Iterator[Two]:
    """Two agents before the same conversation."""
    ana, bea = Agent(meet(embedded)), Agent(meet(embedded))
    inboxes = {"Shop": [ana.name, bea.name]}
    desk = Desk(embedded, inboxes, [{"name": "Marta Vidal", "inbox": "Shop"}])
    (marta,) = desk.visitors
    marta.says("Where is my order?")
    for agent in (ana, bea):
        agent.opens(marta)
        agent.sees("Where is my order?")
        # With the name it is known where the notes are, also when the network goes next.
        expect(agent.title).to_have_text("Marta Vidal")
    yield ana, bea, marta
    desk.close()


def overtaken(ana: Agent, bea: Agent, marta: Visitor) -> None:
    """Ana answers without a connection, and meanwhile Bea does."""
    ana.person.loses_the_network()
    ana.answers("I do not know.")
    expect(ana.said("I do not know.", "[data-state]")).to_be_visible()
    bea.answers("It is in the post.")
    marta.waits_for("It is in the post.")
    ana.person.has_the_network_again()
    expect(ana.guard).to_be_visible(timeout=20_000)
    expect(ana.guard).to_contain_text(f"{bea.name} wrote meanwhile")
    expect(ana.guard.locator(".guard-news .text")).to_have_text(["It is in the post."])
    expect(ana.guard.locator(".guard-text")).to_have_text("I do not know.")
    assert marta.texts() == ["Where is my order?", "It is in the post."]


def test_sent_anyway(two: Two) -> None:
    ana, bea, marta = two
    overtaken(ana, bea, marta)
    ana.guard.get_by_role("button", name="Send anyway").click()
    marta.waits_for("I do not know.")
    ana.sees("I do not know.", ".ours")
    expect(ana.guard).to_have_count(0)
    expect(ana.reply).to_be_focused()


def test_edited_with_the_keyboard(two: Two) -> None:
    ana, bea, marta = two
    overtaken(ana, bea, marta)
    ana.guard.focus()
    ana.page.keyboard.press("Escape")
    expect(ana.guard).to_have_count(0)
    expect(ana.reply).to_be_focused()
    expect(ana.reply).to_have_value("I do not know.")
    ana.answers("It arrives tomorrow.")
    marta.waits_for("It arrives tomorrow.")
    assert marta.texts() == ["Where is my order?", "It is in the post.", "It arrives tomorrow."]


def test_it_waits_for_an_answer_also_elsewhere_and_after_a_reload(two: Two) -> None:
    ana, bea, marta = two
    overtaken(ana, bea, marta)
    ana.opens_the_inbox()
    ana.looks_at("All open")
    expect(ana.row(marta).locator(".not-sent")).to_be_visible()
    ana.opens(marta)
    expect(ana.guard.locator(".guard-text")).to_have_text("I do not know.")
    expect(ana.guard.locator(".guard-news .text")).to_have_text(["It is in the post."])
    # What has come since is seen here, too, before it is sent.
    marta.says("Thank you!")
    expect(ana.guard.locator(".guard-news .text")).to_have_text(
        ["It is in the post.", "Thank you!"]
    )
    ana.looks()
    ana.page.keyboard.press("Control+Enter")
    marta.waits_for("I do not know.")
    expect(ana.guard).to_have_count(0)


# Whoever presses the button at the very moment at which something comes.
AT_ONCE = """guard => new MutationObserver((_, self) => {
    if (guard.querySelectorAll(".guard-news li").length < 2) return;
    self.disconnect();
    guard.querySelectorAll(".actions button")[1].click();
}).observe(guard, {subtree: true, childList: true})"""


def test_what_comes_while_one_says_send_is_shown_first(two: Two) -> None:
    ana, bea, marta = two
    overtaken(ana, bea, marta)
    ana.page.locator("tertulia-guard").evaluate(AT_ONCE)
    marta.says("Found it!")
    # It is asked again, with what has come.
    ana.sees("Found it!")
    expect(ana.guard).to_be_visible()
    ana.looks()
    assert "I do not know." not in marta.texts()
    ana.guard.get_by_role("button", name="Send anyway").click()
    marta.waits_for("I do not know.")
    expect(ana.guard).to_have_count(0)


def test_what_has_stood_before_ones_eyes_holds_up_nothing(two: Two) -> None:
    ana, _, marta = two
    ana.reply.fill("Let me see")
    marta.says("It is number 4711")
    ana.sees("It is number 4711")
    ana.looks()
    ana.reply.press("Enter")
    marta.waits_for("Let me see")
    ana.sees("Let me see", ".ours")
    expect(ana.guard).to_have_count(0)


def test_notes_are_held_up_by_nobody(two: Two) -> None:
    ana, bea, marta = two
    ana.person.loses_the_network()
    ana.page.get_by_role("tab", name="Note").click()
    ana.note.fill("I look after this")
    ana.note.press("Enter")
    bea.answers("Good day")
    marta.waits_for("Good day")
    marta.says("Thank you")
    ana.person.has_the_network_again()
    ana.sees("I look after this", ".note")
    bea.sees("I look after this", ".note")
    expect(ana.guard).to_have_count(0)


def test_answers_wait_for_the_connection_and_go_in_order(two: Two) -> None:
    ana, bea, marta = two
    ana.person.loses_the_network()
    ana.answers("First")
    ana.answers("Second")
    expect(ana.log.locator("article[data-key] .text")).to_have_text(["First", "Second"])
    ana.person.has_the_network_again()
    marta.waits_for("Second")
    assert marta.texts() == ["Where is my order?", "First", "Second"]
    bea.sees("Second")
