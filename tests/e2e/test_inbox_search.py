"""Searching on the agents' page: what is found, why, and the way to the place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .inbox import Agent, Desk, Visitor
from .pages import PATIENCE

VISITORS = ("Marta Vidal", "Tom Okafor", "Lin Wei")
Open = Callable[..., tuple[Desk, Agent]]


@pytest.fixture
def opened(meet: Meet, embedded: Server) -> Iterator[Open]:
    """`opened(*more, **browser)`: a desk with three visitors, the last of them in "Returns", and
    `more` in "Shop"; and an agent of both inboxes, with the page before him."""
    desks: list[Desk] = []

    def new(*more: str, **how: object) -> tuple[Desk, Agent]:
        agent = Agent(meet(embedded, **how))
        inboxes = {"Shop": [agent.name], "Returns": [agent.name]}
        where = ["Shop", "Shop", "Returns", *("Shop" for _ in more)]
        visitors = [
            {"name": name, "inbox": inbox}
            for name, inbox in zip((*VISITORS, *more), where, strict=True)
        ]
        desk = Desk(embedded, inboxes, visitors)
        desks.append(desk)
        agent.opens_the_inbox()
        return desk, agent

    yield new
    for desk in desks:
        desk.close()


def field(agent: Agent) -> Locator:
    return agent.page.get_by_role("searchbox", name="Search conversations")


def finds(agent: Agent, *visitors: Visitor) -> None:
    """These are the results, from top to bottom."""
    names = [visitor.name for visitor in visitors]
    # Not those of the letters before the last, which Enter would not open.
    answered = agent.page.locator("tertulia-inbox-results .rows")
    expect(answered).to_have_attribute("aria-busy", "false", timeout=PATIENCE)
    results = agent.page.locator("#sidebar .result .row-name")
    expect(results).to_have_text(names, timeout=PATIENCE)


def shows(agent: Agent, text: str, kind: str) -> None:
    """The message is in view, marked, and has the keyboard."""
    message = agent.sees(text, kind)
    expect(message).to_be_in_viewport()
    expect(message).to_have_class(re.compile(r"\bmarked\b"))
    expect(message).to_be_focused()
    expect(agent.log.locator(".marked")).to_have_count(1)


def test_texts_notes_and_visitors_are_found_and_the_hit_is_marked(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, lin = desk.visitors
    marta.says("My coffee machine <img src=x onerror=alert(1)> leaks")
    tom.says("Hello")
    lin.says("Where is my tea?")
    ana.opens(tom)
    ana.notes("Promised him a coffee")
    ana.sees("Promised him a coffee", ".note")
    field(ana).fill("COFF")
    finds(ana, tom, marta)
    expect(ana.row(marta).locator("mark")).to_have_text("coffee")
    shown = ana.row(marta).locator(".hit")
    expect(shown).to_have_text("My coffee machine <img src=x onerror=alert(1)> leaks")
    expect(ana.row(tom).locator(".hit")).to_have_text("Note, You: Promised him a coffee")
    field(ana).fill("marta vid")
    finds(ana, marta)
    expect(ana.row(marta).locator("mark")).to_have_text(["Marta", "Vidal"])
    # Settled ones, too; and only of the inbox that is chosen.
    marta_row = ana.row(marta)
    marta_row.click()
    expect(ana.title).to_have_text("Marta Vidal")
    ana.sees("My coffee machine")
    ana.does("Resolve")
    ana.sees_happen("You resolved this")
    field(ana).fill("my")
    finds(ana, lin, marta)
    expect(marta_row.locator(".row-foot")).to_contain_text("Resolved")
    ana.page.get_by_role("combobox", name="Inbox").select_option("Returns")
    finds(ana, lin)
    field(ana).fill("")
    expect(ana.filter("All open")).to_be_visible()
    ana.has(lin)


def test_a_result_leads_to_its_message_however_old(opened: Open) -> None:
    desk, ana = opened()
    marta = desk.visitors[0]
    first = marta.says("The zeppelin was late")
    for number in range(230):
        marta.says(f"and more {number}")
    ana.opens(marta)
    ana.notes("A note about the albatross")
    ana.sees("A note about the albatross", ".note")
    for number in range(70):
        marta.says(f"still more {number}")
    ana.opens_the_inbox()
    field(ana).fill("zeppelin")
    finds(ana, marta)
    ana.row(marta).click()
    shows(ana, "The zeppelin was late", ".theirs")
    assert ana.page.url.endswith(f"/{marta.room}/{first}/")
    field(ana).fill("albatross")
    expect(ana.row(marta).locator("mark")).to_have_text("albatross")
    ana.row(marta).click()
    shows(ana, "A note about the albatross", ".note")
    # What lies between is there, and the address leads there by itself.
    expect(ana.said("and more 229")).to_have_count(1)
    ana.page.reload()
    shows(ana, "A note about the albatross", ".note")
    ana.page.go_back()
    shows(ana, "The zeppelin was late", ".theirs")


def test_by_keyboard_alone(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, _ = desk.visitors
    marta.says("About a parcel")
    tom.says("My parcel, please")
    ana.has(tom, marta)
    keyboard = ana.page.keyboard
    ana.page.locator("body").press("/")
    expect(field(ana)).to_be_focused()
    keyboard.type("parcel")
    finds(ana, tom, marta)
    keyboard.press("ArrowDown")
    expect(ana.row(tom)).to_be_focused()
    keyboard.press("ArrowDown")
    expect(ana.row(marta)).to_be_focused()
    keyboard.press("Enter")
    shows(ana, "About a parcel", ".theirs")
    keyboard.press("k")
    shows(ana, "My parcel, please", ".theirs")
    keyboard.press("/")
    expect(field(ana)).to_be_focused()
    keyboard.press("ArrowDown")
    keyboard.press("Escape")
    expect(field(ana)).to_be_focused()
    expect(field(ana)).to_have_value("")
    ana.has(tom, marta)
    keyboard.type("abou")
    finds(ana, marta)
    keyboard.press("Enter")
    shows(ana, "About a parcel", ".theirs")
    # In an answer it is a letter.
    keyboard.press("r")
    expect(ana.reply).to_be_focused()
    keyboard.type("1 / 2")
    expect(ana.reply).to_have_value("1 / 2")
    field(ana).focus()
    keyboard.press("Escape")
    expect(field(ana)).to_have_value("")
    keyboard.press("Escape")
    expect(field(ana)).not_to_be_focused()
    keyboard.press("?")
    keys = ana.page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Search conversations")


def test_nothing_found_and_no_connection_are_said(opened: Open) -> None:
    desk, ana = opened()
    marta = desk.visitors[0]
    marta.says("An umbrella")
    ana.has(marta)
    field(ana).fill("parasol")
    results = ana.page.locator("tertulia-inbox-results")
    expect(results).to_contain_text("Nothing found for “parasol”")
    expect(results).to_contain_text("All the words have to be in one message or note")
    expect(results.get_by_role("status")).to_have_text("0 conversations found")
    ana.person.loses_the_network()
    field(ana).fill("umbrella")
    expect(results.get_by_role("alert")).to_be_visible()
    expect(results.get_by_role("button", name="Search again")).to_be_visible()
    ana.person.has_the_network_again()
    finds(ana, marta)
    expect(results.get_by_role("status")).to_have_text("1 conversation found")
    expect(results.get_by_role("alert")).to_have_count(0)


def test_more_than_a_page(opened: Open) -> None:
    desk, ana = opened(*(f"Shopper {number}" for number in range(34)))
    shoppers = desk.visitors[3:]
    for visitor in shoppers:
        visitor.says("Sold out?")
    field(ana).fill("sold")
    expect(ana.page.locator(".result")).to_have_count(30, timeout=PATIENCE)
    ana.page.locator("#sidebar").get_by_role("button", name="Show more").click()
    finds(ana, *reversed(shoppers))
    expect(ana.page.locator("#sidebar").get_by_role("button", name="Show more")).to_have_count(0)


def test_on_a_telephone_and_in_spanish(opened: Open) -> None:
    desk, ana = opened(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        locale="es-ES",
        color_scheme="dark",
    )
    marta = desk.visitors[0]
    marta.says("El paraguas " + "muy_largo_y_sin_espacios_" * 12)
    search = ana.page.get_by_role("searchbox", name="Buscar conversaciones")
    search.fill("PARAGUAS")
    finds(ana, marta)
    box = search.bounding_box()
    assert box
    assert box["height"] >= 44
    assert ana.page.evaluate("document.documentElement.scrollWidth") == 390
    ana.row(marta).tap()
    shows(ana, "El paraguas", ".theirs")
    expect(ana.page.locator("#sidebar")).to_be_hidden()
    assert ana.page.evaluate("document.documentElement.scrollWidth") == 390
    ana.page.get_by_role("link", name="Volver a la lista").tap()
    finds(ana, marta)
    search.fill("sombrilla")
    expect(ana.page.locator("tertulia-inbox-results")).to_contain_text(
        "No se encontró nada para «sombrilla»"
    )
