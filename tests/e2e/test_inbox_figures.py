"""The page of figures, as an agent sees it: from the inbox and back, by keyboard, narrow, dark, and
in Spanish."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .inbox import Agent, Desk, Visitor
from .test_spanish import english_on

# A month of one conversation's measures, each day other ones; ana is who answers.
MONTH = """
from datetime import timedelta
from django.utils import timezone
from tertulia.chat.models import Participant
from tertulia.support.models import Conversation, Measure
conversation = Conversation.objects.get(room__slug={room!r})
agent = Participant.objects.get(name={agent!r})
now = timezone.now()
def made(kind, day, seconds=None, **more):
    return Measure(kind=kind, inbox=conversation.inbox, conversation=conversation,
        at=now - timedelta(days=day, minutes=5), seconds=seconds,
        within=None if seconds is None else seconds // 3, **more)
rows = []
for day in range(60):
    for n in range(2 + day % 5):
        rows.append(made("opened", day))
        rows.append(made("first_answer", day, 40 + 90 * n + 7 * day, agent=agent))
        rows.append(made("answer", day, 30 + 60 * n + 3 * day, agent=agent))
        rows.append(made("resolution", day, 3_000 + 1_000 * n, agent=agent))
        rows.append(made("rating", day, agent=agent, value=1 + (day + n) % 5))
Measure.objects.bulk_create(rows)
"""
Open = Callable[..., tuple[Agent, Visitor]]


@pytest.fixture
def furnished(meet: Meet, embedded: Server) -> Iterator[Open]:
    """`furnished()`: an agent of two inboxes, whose figures of the past weeks are there, and a
    visitor who waits."""
    desks: list[Desk] = []

    def new(**how: Any) -> tuple[Agent, Visitor]:
        ana = Agent(meet(embedded, **how))
        desk = Desk(
            embedded,
            {"Shop": [ana.name], "Returns": [ana.name]},
            [{"name": "Marta Vidal", "inbox": "Shop"}],
        )
        desks.append(desk)
        (marta,) = desk.visitors
        marta.says("Where is my order?")
        embedded.shell(MONTH.format(room=marta.room, agent=ana.name))
        return ana, marta

    yield new
    for desk in desks:
        desk.close()


def opens_figures(ana: Agent, query: str = "") -> Page:
    ana.page.goto(f"{ana.person.base}/support/-/inbox/figures/{query}")
    expect(ana.page.get_by_role("heading", level=1)).to_be_visible()
    return ana.page


def overflows(page: Page) -> bool:
    """Whether one would have to scroll the page sideways."""
    wider: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wider


def numbers_stay_inside(page: Page) -> None:
    """What stands beside a plot, such as `1 h 30 min`, does not stand over its frame."""
    for plot in page.locator(".plot").all():
        outside = plot.evaluate(
            """(plot) => [...plot.querySelectorAll(".drawn text:not(.minor)")]
                .filter((text) => text.getBoundingClientRect().left
                    < plot.getBoundingClientRect().left + 4)
                .map((text) => text.textContent)"""
        )
        assert outside == []


def test_from_the_inbox_to_the_figures_and_back(furnished: Open) -> None:
    ana, marta = furnished()
    page = ana.page
    ana.opens_the_inbox()
    page.get_by_role("link", name="Figures").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Figures")
    expect(page.locator(".waiting")).to_contain_text("1 person is waiting")
    for name in ("Opened and resolved", "First answer", "Waiting for an answer", "Resolution"):
        drawn = page.get_by_role("img", name=name)
        expect(drawn).to_have_count(1)
        assert drawn.bounding_box()["width"] > 300  # type: ignore[index]
    expect(page.get_by_role("region", name="By agent").first).to_contain_text(ana.name)
    expect(page.get_by_role("region", name="By inbox").first).to_contain_text("Returns")
    assert not overflows(page)
    expect(page.get_by_text("1 h 30 min", exact=True).first).to_be_attached()
    numbers_stay_inside(page)
    page.locator(".waiting").get_by_role("link", name="Marta Vidal").click()
    ana.sees("Where is my order?", ".theirs")
    page.go_back()
    page.get_by_role("link", name="Back to the inbox").click()
    ana.has(marta)


def test_an_address_of_the_figures_in_the_inbox_leads_there(furnished: Open) -> None:
    """It lies below the inbox's own, whose page shows conversations by itself."""
    ana, marta = furnished()
    ana.opens(marta)
    marta.says(f"{ana.person.base}/support/-/inbox/figures/")
    ana.log.get_by_role("link", name=re.compile("figures")).click()
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("Figures")


def test_by_keyboard_alone(furnished: Open) -> None:
    ana, _ = furnished()
    page = opens_figures(ana)
    page.get_by_role("radio", name="30 days").focus()
    expect(page.get_by_role("radio", name="30 days")).to_be_checked()
    first = page.get_by_label("From", exact=True)
    expect(first).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="90 days")).to_be_checked()
    page.keyboard.press("ArrowRight")
    expect(first).to_be_visible()
    # What is offered are the days that were shown.
    expect(first).not_to_have_value("")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("period=7"))
    expect(page.get_by_role("radio", name="7 days")).to_be_checked()
    numbers = page.locator(".plot").first.locator("summary")
    expect(numbers).to_have_text("Opened and resolved: the numbers")
    numbers.focus()
    page.keyboard.press("Enter")
    rows = page.locator(".plot").first.get_by_role("row")
    expect(rows).to_have_count(1 + 7)
    expect(rows.first).to_contain_text("Opened")


def test_hours_agent_and_inbox_are_kept_in_the_address(furnished: Open) -> None:
    ana, _ = furnished()
    page = opens_figures(ana)
    page.get_by_label("Inbox", exact=True).select_option("Returns")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Nothing happened in these days")).to_be_visible()
    page.get_by_label("Inbox", exact=True).select_option("Shop")
    page.get_by_label("Agent", exact=True).select_option(ana.name)
    page.get_by_label("Time", exact=True).select_option("only within business hours")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Agent", exact=True)).to_have_value(re.compile("."))
    expect(page.locator(".numbers dt").first).to_have_text("Resolved")
    with page.expect_download() as started:
        page.get_by_role("link", name="By day", exact=True).click()
    assert started.value.suggested_filename.startswith("figures-days-")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_narrow_screen(furnished: Open, scheme: str) -> None:
    how = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    ana, _ = furnished(**how)
    for query in ("", "?period=90", "?period=own&first=2026-01-01&last=2026-06-30"):
        page = opens_figures(ana, query)
        assert not overflows(page), query
        numbers_stay_inside(page)
    page = opens_figures(ana)
    for summary in page.locator("summary").all():
        summary.click()
    assert not overflows(page)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 128
    assert dark is (scheme == "dark")


def test_in_spanish(furnished: Open) -> None:
    ana, _ = furnished(locale="es-ES")
    page = opens_figures(ana)
    expect(page.get_by_role("heading", level=1)).to_have_text("Cifras")
    for summary in page.locator("summary").all():
        summary.click()
    assert english_on(ana.person) == set()


def test_who_answers_in_no_inbox_is_told(meet: Meet, embedded: Server) -> None:
    eve = Agent(meet(embedded))
    page = opens_figures(eve)
    expect(page.get_by_role("heading", name="You answer in no inbox")).to_be_visible()
    eve.opens_the_inbox()
    expect(eve.title).to_have_text("You answer in no inbox")
    expect(page.get_by_role("link", name="Figures")).to_have_count(0)
