"""What one reads: groups, days, where I stopped, addresses of messages, quotations."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .pages import Person

# Moves the messages of a room to other times; the protocol has no way to speak in the past.
BACKDATE = """
from datetime import datetime
from tertulia.chat.models import Message
for text, time in {times!r}.items():
    moved = Message.objects.filter(room__slug={slug!r}, text=text)
    assert moved.update(sent_at=datetime.fromisoformat(time)) == 1
"""


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates("Reading")
    bea.opens(slug)
    bea.joins()
    return slug


def shows_author(message: Locator, shown: bool) -> None:
    """To the eye; who listens hears it with each message."""
    byline = message.locator(".byline")
    if shown:
        expect(byline).not_to_have_class(re.compile("sr-only"))
        expect(message.locator(".avatar")).to_be_visible()
    else:
        expect(byline).to_have_class(re.compile("sr-only"))
        expect(message.locator(".avatar")).to_have_count(0)


def in_view(message: Locator) -> None:
    expect(message).to_be_in_viewport(ratio=0.9)


def test_groups_and_days(ana: Person, bea: Person, room: str, embedded: Server) -> None:
    times = {
        "on Sunday": "2026-03-01T12:00:00+00:00",
        "on Monday": "2026-03-02T12:00:00+00:00",
        "at once": "2026-03-02T12:04:59+00:00",
        "too late for the group": "2026-03-02T12:09:59+00:00",
        "by Bea": "2026-03-02T12:10:00+00:00",
        "Ana again": "2026-03-02T12:10:10+00:00",
        "today": "2026-03-03T08:00:00+00:00",
    }
    for text in times:
        (bea if text == "by Bea" else ana).says(text)
        # Of two people's messages the server may take the later one first.
        ana.sees(text)
    embedded.shell(BACKDATE.format(times=times, slug=room))
    bea.page.clock.set_fixed_time("2026-03-03T12:00:00Z")
    bea.reloads()
    for text in times:
        shows_author(bea.sees(text), text != "at once")
    days = bea.log.locator(".day")
    expect(days).to_have_text([re.compile("^Sunday,? "), "Yesterday", "Today"])
    # The day stands at the top for as long as one reads in it.
    expect(days.first).to_have_css("position", "sticky")


def test_a_line_stands_where_i_stopped_reading(ana: Person, bea: Person, room: str) -> None:
    ana.says("Bea sees this")
    bea.sees("Bea sees this")
    line = bea.log.locator(".new-line")
    expect(line).to_have_count(0)
    bea.goes_home()
    ana.says("the first one that she misses")
    ana.says("the second")
    bea.has_unread("Reading")
    bea.enters("Reading")
    bea.sees("the second")
    expect(line).to_have_text("New")
    after = bea.page.locator(".new-line + article")
    expect(after).to_contain_text("the first one that she misses")
    in_view(line)
    # It stays while she reads, whatever comes, and goes when she has spoken.
    ana.says("the third")
    bea.sees("the third")
    expect(line).to_have_count(1)
    expect(after).to_contain_text("the first one that she misses")
    bea.says("now I know")
    expect(line).to_have_count(0)


def test_an_address_leads_to_its_message(ana: Person, bea: Person, room: str) -> None:
    ana.says_much(*(f"number {n:03}." for n in range(160)))
    ana.sees("number 159.")
    seq = ana.seqs()[-1] - 140
    bea.opens(room, seq)
    message = bea.sees("number 019.")
    in_view(message)
    expect(message).to_have_class(re.compile(r"\bmarked\b"))
    expect(message).to_be_focused()
    expect(message.locator("a.time, .side a").first).to_have_attribute(
        "href", f"/chat/{room}/{seq}/"
    )
    # The time of another one leads to that.
    other = bea.message("number 021.")
    other.hover()
    other.locator("a.time").click()
    expect(other).to_have_class(re.compile(r"\bmarked\b"))
    expect(message).not_to_have_class(re.compile(r"\bmarked\b"))
    bea.page.go_back()
    expect(message).to_have_class(re.compile(r"\bmarked\b"))


def test_a_quotation_leads_to_what_it_quotes(ana: Person, bea: Person, room: str) -> None:
    ana.says("how does one make tortilla?")
    bea.sees("how does one make tortilla?")
    ana.says_much(*(f"chatter {n:03}." for n in range(120)))
    bea.opens(room, bea.seqs()[0])
    bea.sees("chatter 000.")
    bea.replies_to("how does one make tortilla?", "with onions")
    # Who has spoken is where he spoke; the quotation leads back.
    for person in (ana, bea):
        answer = person.sees("with onions", by="Bea")
        quote = answer.locator(".quote")
        expect(quote).to_contain_text("Ana")
        expect(quote).to_contain_text("how does one make tortilla?")
        in_view(answer)
    ana.reloads()
    expect(ana.message("with onions").locator(".quote")).to_contain_text("tortilla?")
    ana.does_not_see("how does one make tortilla?")
    ana.message("with onions").locator(".quote").click()
    question = ana.sees("how does one make tortilla?")
    in_view(question)
    expect(question).to_have_class(re.compile(r"\bmarked\b"))
    # Where the question is taken back, its text is nowhere any more.
    ana.deletes("how does one make tortilla?")
    expect(bea.message("with onions").locator(".quote")).to_contain_text("was deleted")
    expect(bea.page.get_by_text("tortilla?")).to_have_count(0)


def test_the_last_message_is_mended_with_one_key(ana: Person, bea: Person, room: str) -> None:
    ana.says("the first")
    ana.says("teh second")
    bea.sees("teh second")
    bea.says("what?")
    ana.sees("what?")
    ana.composer.press("ArrowUp")
    expect(ana.composer).to_have_value("teh second")
    ana.composer.fill("the second")
    ana.composer.press("Enter")
    mended = bea.sees("the second")
    expect(mended.locator(".edited")).to_be_visible()
    expect(ana.composer).to_be_focused()
    expect(ana.composer).to_have_value("")
    assert bea.texts() == ["the first", "the second", "what?"]
    # Begun and given up: what was being written before is there again.
    ana.composer.press("ArrowUp")
    expect(ana.composer).to_have_value("the second")
    ana.composer.press("Escape")
    expect(ana.composer).to_have_value("")
