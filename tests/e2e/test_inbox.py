"""The agents' page, from the first word of a visitor to the last line of the conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, WebSocketRoute, expect

from tertulia.testing.server import RELAXED, Server

from .conftest import Meet
from .inbox import Agent, Desk, Visitor

CANNED = [
    ("Shop", "hello", "Hello {{name}}, this is {{agent}}. How can I help?"),
    ("Shop", "refund", "Your refund is on its way."),
]
MARTA = {
    "name": "Marta Vidal",
    "inbox": "Shop",
    "email": "marta@example.org",
    "language": "es",
    "time_zone": "Pacific/Auckland",
}
TOM = {"name": "Tom Okafor", "inbox": "Shop"}
STRANGER = {"name": "", "inbox": "Shop"}
Open = Callable[..., tuple[Desk, list[Agent]]]


@pytest.fixture
def furnished(meet: Meet, embedded: Server) -> Iterator[Open]:
    """`furnished(2)`: a desk of its own, and two agents of its inbox "Shop", the first also one of
    "Returns", with the page before them."""
    desks: list[Desk] = []

    def new(agents: int = 1, **how: object) -> tuple[Desk, list[Agent]]:
        people = [Agent(meet(embedded, **how)) for _ in range(agents)]
        names = [agent.name for agent in people]
        inboxes = {"Shop": names, "Returns": names[:1]}
        desk = Desk(embedded, inboxes, [dict(MARTA), dict(TOM), dict(STRANGER)], CANNED)
        desks.append(desk)
        for agent in people:
            agent.opens_the_inbox()
        return desk, people

    yield new
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(furnished: Open) -> tuple[Agent, Visitor, Visitor]:
    """One agent, and two visitors who have not said anything."""
    made, (ana,) = furnished()
    marta, tom, _ = made.visitors
    return ana, marta, tom


def test_from_the_first_word_to_the_end(desk: tuple[Agent, Visitor, Visitor]) -> None:
    ana, marta, _ = desk
    expect(ana.title).to_have_text("Nobody is waiting")
    marta.says("Where is my order?")
    ana.has(marta)
    ana.counts("Unassigned", 1)
    expect(ana.title).to_have_text("1 person is waiting")
    ana.chooses(marta)
    ana.sees("Where is my order?", ".theirs")
    ana.sees_happen("Marta Vidal began this conversation")

    ana.does("Assign to me")
    ana.is_held_by("You")
    ana.sees_happen("You took this conversation")
    ana.counts("Unassigned", 0)
    ana.counts("Mine", 1)

    ana.answers("On its **way**.")
    ana.sees("On its way.", ".ours")
    said = marta.waits_for("On its **way**.")
    assert said["author"]["name"] == ana.name
    marta.reads(said["seq"])
    expect(ana.sees("On its way.", ".ours").locator(".receipt")).to_have_text("Read by the visitor")
    ana.counts("Waiting", 0)

    ana.does("Resolve")
    ana.sees_happen("You resolved this")
    ana.counts("All open", 0)
    marta.rates(4, "Quick, thank you")
    ana.sees_happen("Marta Vidal rated this: 4 of 5")
    expect(ana.page.locator(".rating-text")).to_have_text("Quick, thank you")

    marta.says("One more thing")
    ana.sees_happen("Marta Vidal wrote again: it is open")
    expect(ana.page.get_by_role("button", name="Resolve")).to_be_visible()
    # All of it is there again after a reload.
    ana.page.reload()
    ana.sees_happen("You took this conversation")
    ana.sees_happen("Marta Vidal rated this: 4 of 5")
    ana.sees("One more thing", ".theirs")


def test_notes_are_between_what_was_said_and_never_told(
    desk: tuple[Agent, Visitor, Visitor],
) -> None:
    ana, marta, _ = desk
    marta.says("Is it broken?")
    ana.opens(marta)
    ana.sees("Is it broken?", ".theirs")
    ana.notes("She is an old customer.")
    note = ana.sees("She is an old customer.", ".note")
    expect(note).to_contain_text("Only colleagues see this")
    ana.page.get_by_role("tab", name="Reply").click()
    ana.answers("It is not.")
    ana.sees("It is not.", ".ours")
    marta.waits_for("It is not.")
    assert marta.texts() == ["Is it broken?", "It is not."]
    told = ["Is it broken?", "She is an old customer.", "It is not."]
    expect(ana.log.locator("article .text")).to_have_text(told)
    ana.page.reload()
    expect(ana.log.locator("article .text")).to_have_text(told)


def test_what_is_meant_for_colleagues_never_stands_in_the_answer(
    desk: tuple[Agent, Visitor, Visitor],
) -> None:
    """Each has its own field and its own draft, also after a look at another conversation."""
    ana, marta, tom = desk
    marta.says("Hello")
    tom.says("Hi there")
    ana.opens(marta)
    expect(ana.title).to_have_text("Marta Vidal")
    ana.reply.fill("Dear Marta")
    ana.page.keyboard.press("Control+/")
    expect(ana.note).to_be_focused()
    ana.note.fill("Careful with this one")
    ana.row(tom).click()
    ana.sees("Hi there")
    expect(ana.reply).to_have_value("")
    ana.row(marta).click()
    ana.sees("Hello")
    expect(ana.reply).to_have_value("Dear Marta")
    ana.page.keyboard.press("Control+/")
    expect(ana.note).to_have_value("Careful with this one")
    ana.page.reload()
    expect(ana.reply).to_have_value("Dear Marta")


def test_two_agents_see_each_other_at_work(furnished: Open) -> None:
    desk, (ana, bea) = furnished(2)
    marta = desk.visitors[0]
    marta.says("Anybody there?")
    for agent in (ana, bea):
        agent.opens(marta)
        agent.sees("Anybody there?")
    expect(ana.page.locator(".lookers")).to_have_attribute("title", re.compile(bea.name))
    bea.reply.press_sequentially("Yes")
    typing = ana.page.locator(".typing")
    expect(typing).to_have_text(f"{bea.name} is writing an answer…")
    # She goes on before each look: who stops is believed for a few seconds only.
    ana.reply.fill("Ye")
    bea.reply.press_sequentially(", there")
    expect(typing).to_have_text(f"{bea.name} is writing an answer, too…")
    ana.reply.fill("")
    bea.reply.press_sequentially(" is")
    expect(typing).to_have_text(f"{bea.name} is writing an answer…")
    bea.reply.fill("")
    marta.types()
    expect(typing).to_have_text("Marta Vidal is typing…")
    bea.page.get_by_role("tab", name="Note").click()
    marta.says("Still there?")
    bea.note.press_sequentially("hm")
    bea.note.press_sequentially("m")
    expect(typing).to_have_text(f"{bea.name} is writing a note…")

    ana.page.locator("#assign-button").click()
    ana.picks(re.compile(f"^{bea.name} "))
    ana.is_held_by(bea.name)
    bea.sees_happen(f"{ana.name} assigned this to you")
    bea.is_held_by("You")
    bea.counts("Mine", 1)
    ana.does("Take over")
    ana.is_held_by("You")
    bea.sees_happen(f"{ana.name} took this conversation")
    ana.page.locator("#assign-button").click()
    ana.picks("Nobody")
    ana.is_held_by("Unassigned")


def test_what_is_moved_is_taken_away_with_what_was_being_written_kept(furnished: Open) -> None:
    desk, (ana, bea) = furnished(2)
    marta = desk.visitors[0]
    marta.says("I want to return this")
    for agent in (ana, bea):
        agent.opens(marta)
        agent.sees("I want to return this")
    bea.reply.fill("You can do that with")
    ana.page.locator("#more-button").click()
    ana.picks("Move to another inbox…")
    ana.picks("Returns")
    ana.sees_happen("You moved this to Returns")
    expect(ana.page.locator(".room-header .topic")).to_have_text("Returns")
    taken = bea.page.get_by_role("heading", name="This conversation is no longer open to you")
    expect(taken).to_be_visible()
    expect(bea.page.get_by_label("What you were writing")).to_have_value("You can do that with")
    bea.has()
    ana.answers("Of course.")
    ana.sees("Of course.")


def test_put_away_until_the_visitor_writes(desk: tuple[Agent, Visitor, Visitor]) -> None:
    ana, marta, _ = desk
    marta.says("No hurry")
    ana.opens(marta)
    ana.sees("No hurry")
    ana.page.locator("#snooze-button").click()
    ana.picks(re.compile("^Tomorrow"))
    ana.sees_happen("You snoozed this until")
    expect(ana.page.locator(".room-header .topic")).to_contain_text("snoozed until")
    ana.counts("All open", 0)
    ana.looks_at("Snoozed")
    ana.has(marta)
    marta.says("Now it is urgent")
    ana.has()
    ana.sees_happen("Marta Vidal wrote again: it is open")

    ana.page.locator("#snooze-button").click()
    ana.picks("Another time…")
    dialog = ana.page.get_by_role("dialog")
    dialog.get_by_label("Until").fill("2027-01-31T10:30")
    # A year ahead of whatever day this is would be refused: the field itself names tomorrow.
    dialog.get_by_role("button", name="Cancel").click()
    ana.looks()
    ana.does("Resolve")
    ana.sees_happen("You resolved this")
    ana.does("Reopen")
    ana.sees_happen("You reopened this")


def test_answers_that_are_ready(desk: tuple[Agent, Visitor, Visitor]) -> None:
    ana, marta, _ = desk
    marta.says("Hello?")
    ana.opens(marta)
    ana.sees("Hello?")
    # The button stands there as soon as they are at hand.
    ready = ana.page.get_by_role("button", name="Canned replies")
    expect(ready).to_be_visible()
    field = ana.page.locator("tertulia-answer textarea")
    field.press_sequentially("/he")
    offered = ana.page.get_by_role("listbox", name="Canned replies").get_by_role("option")
    expect(offered).to_have_count(1)
    field.press("Enter")
    words = f"Hello Marta Vidal, this is {ana.name}. How can I help?"
    expect(ana.reply).to_have_value(words)
    ana.reply.press("Enter")
    ana.sees(words, ".ours")
    # By a word of the text, too; a path is none.
    field.press_sequentially("see http://x.example/re and /way")
    expect(offered).to_have_text(["/refundYour refund is on its way."])
    field.press("Escape")
    ana.reply.fill("")
    ready.click()
    expect(offered).to_have_count(2)


def test_who_asks_for_answers_before_they_have_come_is_offered_them(
    desk: tuple[Agent, Visitor, Visitor],
) -> None:
    ana, marta, _ = desk
    held: list[Callable[[], None]] = []

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if json.loads(frame)["type"] == "reply.list":
                held.append(lambda: server.send(frame))
            else:
                server.send(frame)

        route.on_message(pass_on)

    ana.page.route_web_socket(re.compile("/ws/"), between)
    ana.page.reload()
    marta.says("Hello?")
    ana.opens(marta)
    ana.sees("Hello?")
    ana.page.locator("tertulia-answer textarea").press_sequentially("/he")
    offered = ana.page.get_by_role("listbox", name="Canned replies").get_by_role("option")
    expect(offered).to_have_count(0)
    for send in held:
        send()
    expect(offered).to_have_count(1)


def test_an_answer_that_is_ready_names_nobody_by_a_name_that_was_made_up(
    furnished: Open,
) -> None:
    desk, (ana,) = furnished()
    stranger = desk.visitors[2]
    stranger.says("Hello?")
    ana.opens(stranger)
    expect(ana.title).to_have_text(re.compile("^visitor-"))
    expect(ana.page.get_by_role("button", name="Canned replies")).to_be_visible()
    field = ana.page.locator("tertulia-answer textarea")
    field.press_sequentially("/hello")
    expect(ana.page.get_by_role("listbox", name="Canned replies")).to_be_visible()
    field.press("Enter")
    expect(ana.reply).to_have_value(f"Hello, this is {ana.name}. How can I help?")


def test_what_happened_stands_in_the_middle_with_its_time(furnished: Open) -> None:
    desk, (ana,) = furnished()
    marta = desk.visitors[0]
    marta.says("Hello?")
    ana.opens(marta)
    line = ana.log.locator(".happened")
    expect(line).to_have_text(re.compile(r"^Marta Vidal began this conversation · \d\d:\d\d$"))
    for width in (1280, 390):
        ana.page.set_viewport_size({"width": width, "height": 800})
        expect(line.locator("time")).to_have_css("opacity", "1")
        off = line.evaluate("""each => {
            const outer = each.getBoundingClientRect();
            const first = each.querySelector("svg").getBoundingClientRect();
            const last = each.querySelector("time").getBoundingClientRect();
            return (first.left - outer.left) - (outer.right - last.right);
        }""")
        assert abs(off) < 3


def test_a_menu_is_offered_where_it_holds_what_has_no_button(meet: Meet) -> None:
    # On this one there is no other inbox to which anything could be moved.
    server = Server(env=RELAXED).start()
    ana = Agent(meet(server))
    desk = Desk(server, {"Shop": [ana.name]}, [dict(MARTA)])
    try:
        desk.visitors[0].says("Hello?")
        ana.opens(desk.visitors[0])
        ana.sees("Hello?")
        menu = ana.page.locator("#more-button")
        expect(ana.page.get_by_role("button", name="Assign to me")).to_be_visible()
        expect(menu).to_be_hidden()
        expect(ana.page.locator(".resolve span")).to_be_visible()
        ana.page.set_viewport_size({"width": 800, "height": 800})
        menu.click()
        ana.picks("Assign to me")
        ana.is_held_by("You")
        expect(menu).to_be_hidden()
        ana.page.set_viewport_size({"width": 1280, "height": 800})
        ana.page.locator("#snooze-button").click()
        ana.picks(re.compile("^Tomorrow"))
        menu.click()
        ana.picks("Resolve")
        ana.sees_happen("You resolved this")
    finally:
        desk.close()
        server.remove()


def test_what_is_said_for_a_moment_covers_no_answer(desk: tuple[Agent, Visitor, Visitor]) -> None:
    ana, marta, _ = desk
    marta.says("No hurry")
    ana.opens(marta)
    ana.sees("No hurry")
    ana.page.locator("#snooze-button").click()
    ana.picks(re.compile("^Tomorrow"))
    notice = _box(ana.page.locator(".notice"))
    header = _box(ana.page.locator(".room-header"))
    assert header["bottom"] <= notice["top"]
    assert notice["bottom"] <= _box(ana.sees("No hurry"))["top"]
    assert header["left"] <= notice["left"]
    assert notice["right"] <= header["right"]


def test_who_writes(desk: tuple[Agent, Visitor, Visitor]) -> None:
    ana, marta, _ = desk
    marta.says("First matter")
    first = marta.room
    ana.opens(marta)
    ana.sees("First matter")
    ana.does("Resolve")
    ana.sees_happen("You resolved this")
    marta.opens(new=True, url="javascript:alert(1)")
    assert marta.room != first
    marta.says("Second matter")
    ana.opens(marta)
    details = ana.page.get_by_role("complementary", name="Visitor")
    expect(details.get_by_role("link", name="marta@example.org")).to_have_attribute(
        "href", "mailto:marta@example.org"
    )
    expect(details).to_contain_text("Spanish")
    expect(details).to_contain_text("Auckland")
    expect(details).to_contain_text("page not known")
    past = details.get_by_role("link", name=re.compile("First matter"))
    past.click()
    ana.sees("First matter")
    link = details.get_by_role("link", name="shop.example/cart")
    expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))
    expect(link).to_have_attribute("target", "_blank")
    expect(details.get_by_role("link", name=re.compile("Second matter"))).to_be_visible()


def _box(thing: Locator) -> dict[str, float]:
    box: dict[str, float] = thing.evaluate("each => each.getBoundingClientRect().toJSON()")
    return box
