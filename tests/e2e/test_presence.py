"""Who is here, who types, and who has read, as the others see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import Person


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates("Who is here")
    bea.opens(slug)
    bea.joins()
    return slug


def typing(person: Person) -> Locator:
    return person.page.locator(".typing")


def test_who_is_here(ana: Person, bea: Person, room: str) -> None:
    here = ana.page.locator(".here-count")
    expect(here).to_have_text("2 here")
    ana.opens_details()
    dot = ana.page.locator("#details .member", has_text="Bea").locator(".here-dot")
    expect(dot).to_be_visible()
    bea.goes_home()
    # That she herself is here is no news.
    expect(here).to_have_count(0)
    expect(dot).to_have_count(0)
    # Two windows are one person.
    bea.opens(room)
    other = bea.opens_another_tab()
    expect(here).to_have_text("2 here")
    other.closes_the_tab()
    expect(dot).to_be_visible()
    bea.closes_the_tab()
    expect(here).to_have_count(0)


def test_who_types(ana: Person, bea: Person, meet: Meet, embedded: Server, room: str) -> None:
    bea.composer.press_sequentially("hm")
    expect(typing(ana)).to_have_text("Bea is typing…")
    expect(typing(bea)).to_have_text("")
    # Who takes it all back types no more.
    bea.composer.fill("")
    expect(typing(ana)).to_have_text("")
    bea.composer.press_sequentially("now then")
    expect(typing(ana)).to_have_text("Bea is typing…")
    bea.composer.press("Enter")
    ana.sees("now then")
    expect(typing(ana)).to_have_text("")
    # Who stops in the middle is believed for a few seconds, and not for ever.
    bea.composer.press_sequentially("well")
    expect(typing(ana)).to_have_text("Bea is typing…")
    expect(typing(ana)).to_have_text("", timeout=10_000)
    # Two at once; who goes away types no more.
    clara = meet(embedded)
    clara.opens(room)
    clara.joins()
    clara.composer.press_sequentially("s")
    expect(typing(ana)).to_have_text(f"{clara.name} is typing…")
    # Each goes on before the next look, lest she be taken for one who has stopped.
    clara.composer.press_sequentially("o")
    bea.composer.press_sequentially(", s")
    expect(typing(ana)).to_have_text(f"{clara.name} and Bea are typing…")
    bea.composer.press_sequentially("o")
    clara.closes_the_tab()
    expect(typing(ana)).to_have_text("Bea is typing…")
    # What was begun is still there after a visit elsewhere.
    bea.goes_home()
    expect(typing(ana)).to_have_text("")
    bea.opens(room)
    expect(bea.composer).to_have_value("well, so")
    bea.composer.fill("")


def test_who_has_read_among_three(ana: Person, bea: Person, meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    slug = ana.writes_to("Bea", clara.name)
    ana.says("shall we meet at six?")
    receipt = ana.sees("shall we meet at six?").locator(".receipt")
    expect(receipt).to_have_count(0)
    bea.opens(slug)
    expect(receipt).to_have_text("Read by Bea")
    clara.opens(slug)
    expect(receipt).to_have_text(f"Read by Bea and {clara.name}")
    # It is told again to who comes later, and only where it is news.
    ana.reloads()
    expect(receipt).to_have_text(f"Read by Bea and {clara.name}")
    clara.says("gladly")
    ana.sees("gladly")
    expect(receipt).to_have_text("Read by Bea")
    expect(bea.log.locator(".receipt")).to_have_count(0)
