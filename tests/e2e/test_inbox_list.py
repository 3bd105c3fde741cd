"""The list of the agents' page: who waits, for how long, and who has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .inbox import Agent, Desk

VISITORS = ("Marta Vidal", "Tom Okafor", "Lin Wei")
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
Open = Callable[..., tuple[Desk, Agent]]


@pytest.fixture
def opened(meet: Meet, embedded: Server) -> Iterator[Open]:
    """`opened(**browser)`: a desk with three visitors, the last of them in "Returns", the others in
    `shop`; and an agent of both inboxes, with the page before him."""
    desks: list[Desk] = []

    def new(shop: str = "Shop", **how: object) -> tuple[Desk, Agent]:
        agent = Agent(meet(embedded, **how))
        inboxes = {shop: [agent.name], "Returns": [agent.name]}
        where = (shop, shop, "Returns")
        visitors = [
            {"name": name, "inbox": inbox} for name, inbox in zip(VISITORS, where, strict=True)
        ]
        desk = Desk(embedded, inboxes, visitors)
        desks.append(desk)
        agent.opens_the_inbox()
        return desk, agent

    yield new
    for desk in desks:
        desk.close()


def test_who_wrote_last_is_first_and_who_waits_longest_in_his_own_list(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, lin = desk.visitors
    for visitor in (marta, tom, lin):
        visitor.says("Hello")
    ana.has(lin, tom, marta)
    marta.says("Are you there?")
    ana.has(marta, lin, tom)
    expect(ana.row(marta).locator(".row-text")).to_have_text("Are you there?")
    ana.looks_at("Waiting")
    ana.has(marta, tom, lin)
    ana.chooses(marta)
    ana.sees("Are you there?")
    ana.answers("Yes")
    ana.has(tom, lin)
    ana.counts("Waiting", 2)
    ana.looks_at("All open")
    ana.has(marta, lin, tom)
    expect(ana.row(marta).locator(".row-text")).to_have_text("You: Yes")


def test_a_line_has_what_was_said_without_its_marks(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, _ = desk.visitors
    marta.says("## Hm\n\n- My **order** [is](https://shop.example/o) `4_2_1`, ~~or~~ *was*")
    tom.says("2 * 3 * 4 is some_file_name")
    text = ana.row(marta).locator(".row-text")
    expect(text).to_have_text("Hm My order is 4_2_1, or was")
    expect(ana.row(tom).locator(".row-text")).to_have_text("2 * 3 * 4 is some_file_name")


@pytest.mark.parametrize("how", [{}, PHONE, {**PHONE, "locale": "es-ES"}])
def test_a_line_has_room_for_all_that_it_says(opened: Open, how: dict[str, Any]) -> None:
    desk, ana = opened(shop="Wholesale and long-distance enquiries of every kind", **how)
    marta = desk.visitors[0]
    marta.says("Hello")
    row = ana.row(marta)
    expect(row).to_be_visible()
    holder, inbox = row.locator(".row-agent"), row.locator(".row-inbox")
    assert _whole(holder)
    assert not _whole(inbox)
    assert _right(holder) < _left(inbox)
    assert row.evaluate("each => each.scrollWidth <= each.clientWidth")
    # Until when it is put away stands in one line, with its hour, and so does the name.
    tomorrow = "mañana 09:00" if "locale" in how else "tomorrow 09:00"
    row.click()
    expect(ana.title).to_have_text(marta.name)
    ana.sees("Hello")
    if how:
        ana.page.locator("#more-button").tap()
        ana.picks(re.compile("^(Snooze|Posponer)"))
    else:
        ana.page.locator("#snooze-button").click()
    ana.picks(re.compile("^(Tomorrow|Mañana)"))
    until = ana.page.locator(".room-header .topic .until")
    expect(until).to_have_text(tomorrow)
    assert _right(until) <= _right(ana.page.locator(".room-header .topic"))
    if how:
        ana.page.go_back()
    ana.page.locator('[data-filter="snoozed"]').click()
    when = row.locator(".row-time")
    expect(when).to_have_text(tomorrow)
    assert _whole(when)
    assert _whole(row.locator(".row-name"))
    assert when.evaluate("each => each.getBoundingClientRect().height") < 30


@pytest.mark.parametrize("how", [{}, PHONE, {**PHONE, "locale": "es-ES"}])
def test_the_lists_stand_where_they_stand_whatever_is_counted(
    opened: Open, how: dict[str, Any]
) -> None:
    desk, ana = opened(**how)
    filters = ana.page.locator(".filters")
    expect(ana.page.locator(".list-head select")).to_be_visible()
    before = filters.bounding_box()
    for visitor in desk.visitors:
        visitor.says("Hello")
    expect(ana.filter("Unassigned|Sin asignar").locator(".filter-count")).to_have_text("3")
    assert filters.bounding_box() == before
    assert filters.evaluate("each => each.scrollWidth <= each.clientWidth")
    for each in filters.locator(".filter").all():
        assert _whole(each)


def test_one_inbox_of_several_and_what_was_chosen_is_kept(opened: Open) -> None:
    desk, ana = opened()
    marta, _, lin = desk.visitors
    marta.says("Hello")
    lin.says("Hello")
    ana.has(lin, marta)
    chooser = ana.page.get_by_role("combobox", name="Inbox")
    chooser.select_option("Returns")
    ana.has(lin)
    ana.counts("Unassigned", 1)
    ana.looks_at("All open")
    ana.page.reload()
    ana.has(lin)
    expect(ana.filter("All open")).to_have_attribute("aria-pressed", "true")
    expect(chooser).to_have_value(desk.inboxes["Returns"])
    chooser.select_option("All inboxes")
    ana.has(lin, marta)


def test_what_came_without_a_connection_is_asked_for(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, _ = desk.visitors
    marta.says("Hello")
    ana.has(marta)
    ana.person.loses_the_network()
    tom.says("Somebody there?")
    marta.says("Me too")
    ana.person.has_the_network_again()
    ana.has(marta, tom)
    ana.counts("Unassigned", 2)
    expect(ana.row(marta).locator(".row-text")).to_have_text("Me too")


def test_by_keyboard_alone(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, _ = desk.visitors
    marta.says("Hello")
    tom.says("Hi")
    ana.has(tom, marta)
    keyboard = ana.page.keyboard
    ana.page.locator("body").press("j")
    expect(ana.title).to_have_text(tom.name)
    ana.sees("Hi")
    # Whoever goes along by letters is not to write one to somebody.
    expect(ana.log).to_be_focused()
    keyboard.press("j")
    expect(ana.title).to_have_text(marta.name)
    ana.sees("Hello")
    expect(ana.log).to_be_focused()
    keyboard.press("k")
    expect(ana.title).to_have_text(tom.name)
    ana.sees("Hi")
    expect(ana.reply).to_have_value("")
    keyboard.press("r")
    expect(ana.reply).to_be_focused()
    keyboard.press("Alt+ArrowDown")
    expect(ana.title).to_have_text(marta.name)
    expect(ana.reply).to_be_focused()
    ana.sees("Hello")
    keyboard.type("Good day")
    keyboard.press("Enter")
    ana.sees("Good day", ".ours")
    # Out of the field letters are commands.
    keyboard.press("Escape")
    expect(ana.log).to_be_focused()
    keyboard.press("t")
    ana.is_held_by("You")
    expect(ana.reply).to_be_focused()
    keyboard.press("Escape")
    keyboard.press("n")
    expect(ana.note).to_be_focused()
    keyboard.type("done soon")
    keyboard.press("Enter")
    ana.sees("done soon", ".note")
    keyboard.press("Escape")
    keyboard.press("e")
    ana.sees_happen("You resolved this")
    keyboard.press("?")
    keys = ana.page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Reply or note")
    expect(keys).to_contain_text("Conversation above, belowK / J")
    keyboard.press("Escape")
    expect(keys).to_have_count(0)


def test_who_has_the_keyboard_on_a_conversation_keeps_it_when_the_list_moves(opened: Open) -> None:
    desk, ana = opened()
    marta, tom, lin = desk.visitors
    for visitor in (marta, tom, lin):
        visitor.says("Hello")
    ana.has(lin, tom, marta)
    ana.row(tom).focus()
    marta.says("Me first")
    ana.has(marta, lin, tom)
    expect(ana.row(tom)).to_be_focused()
    tom.says("No, me")
    ana.has(tom, marta, lin)
    expect(ana.row(tom)).to_be_focused()


def test_one_part_at_a_time_on_a_telephone(opened: Open) -> None:
    desk, ana = opened(**PHONE)
    marta = desk.visitors[0]
    marta.says("Hello")
    ana.has(marta)
    expect(ana.page.locator("#main")).to_be_hidden()
    ana.row(marta).tap()
    ana.sees("Hello")
    expect(ana.page.locator("#sidebar")).to_be_hidden()
    width = ana.page.evaluate("document.documentElement.scrollWidth")
    assert width == 390
    ana.page.get_by_role("button", name="Visitor").tap()
    details = ana.page.get_by_role("complementary", name="Visitor")
    expect(details).to_contain_text("Marta Vidal")
    details.get_by_role("button", name="Close").tap()
    expect(details).to_be_hidden()
    ana.page.locator("#more-button").tap()
    ana.picks("Assign to me")
    ana.sees_happen("You took this conversation")
    ana.page.get_by_role("link", name="Back to the list").tap()
    ana.looks_at("Mine")
    ana.has(marta)
    # The browser's own way back is the same.
    ana.row(marta).tap()
    ana.sees("Hello")
    ana.page.go_back()
    expect(ana.page.locator("#sidebar")).to_be_visible()


def test_nobody_of_no_inbox(meet: Meet, embedded: Server) -> None:
    eve = Agent(meet(embedded))
    eve.opens_the_inbox()
    expect(eve.title).to_have_text("You answer in no inbox")
    eve.page.get_by_role("link", name="To the chat").last.click()
    eve.page.wait_for_url("**/chat/")


def test_a_conversation_of_others_is_no_conversation(opened: Open, meet: Meet) -> None:
    desk, ana = opened()
    marta = desk.visitors[0]
    marta.says("A secret")
    eve = Agent(meet(desk.server))
    for room in (marta.room, "nothing-here"):
        eve.page.goto(f"{eve.person.base}/support/-/inbox/{room}/")
        expect(eve.page.get_by_role("heading", name="No such conversation")).to_be_visible()
        path = f"{eve.person.base}/support/-/inbox/{room}/changes/"
        assert eve.page.request.get(path).status == 404
    path = f"{ana.person.base}/support/-/inbox/{marta.room}/changes/"
    told = ana.page.request.get(path).json()["changes"]
    assert [(each["change"], each["actor"]["name"]) for each in told] == [("opened", marta.name)]


def test_whoever_is_dismissed_has_no_list(opened: Open) -> None:
    desk, ana = opened()
    marta, _, lin = desk.visitors
    marta.says("Hello")
    lin.says("Hello")
    ana.has(lin, marta)
    ana.chooses(marta)
    desk.dismiss(ana.name, "Shop")
    taken = ana.page.get_by_role("heading", name="This conversation is no longer open to you")
    expect(taken).to_be_visible(timeout=20_000)
    ana.page.get_by_role("link", name="To the inbox").click()
    ana.has(lin)


def test_the_way_from_the_chat_is_there_for_agents(opened: Open, meet: Meet) -> None:
    desk, ana = opened()
    ana.person.goes_home()
    ana.page.get_by_role("link", name="Support inbox").click()
    expect(ana.title).to_have_text("Nobody is waiting")
    ana.page.get_by_role("link", name="To the chat").click()
    ana.page.wait_for_url("**/chat/")
    eve = meet(desk.server)
    expect(eve.page.locator(".account")).to_be_visible()
    expect(eve.page.get_by_role("link", name="Support inbox")).to_have_count(0)


def test_in_spanish(opened: Open) -> None:
    desk, ana = opened(locale="es-ES")
    marta = desk.visitors[0]
    marta.says("Hola")
    ana.has(marta)
    expect(ana.page).to_have_title(re.compile(r"^\(1\) Bandeja"))
    ana.row(marta).click()
    ana.sees("Hola")
    ana.page.get_by_role("button", name="Asignármela").click()
    ana.sees_happen("Te hiciste cargo de esta conversación")
    reply = ana.page.get_by_role("textbox", name="Respuesta al visitante")
    reply.fill("Buenos días")
    reply.press("Enter")
    ana.sees("Buenos días", ".ours")


def _whole(line: Locator) -> bool:
    """Whether nothing of a line is cut off."""
    return bool(line.evaluate("each => each.scrollWidth <= each.clientWidth"))


def _left(line: Locator) -> float:
    return float(line.evaluate("each => each.getBoundingClientRect().left"))


def _right(line: Locator) -> float:
    """Where its text ends, whatever room it has."""
    return float(
        line.evaluate("""each => {
            const all = new Range();
            all.selectNodeContents(each);
            return all.getBoundingClientRect().right;
        }""")
    )
