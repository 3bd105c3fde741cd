"""Customers whom the shop knows, hours in which nobody is there, and what is said at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from examples.support_widget.shop import identity
from playwright.sync_api import Browser, expect

from tertulia.testing.processes import free_port
from tertulia.testing.server import Server
from tests.conftest import RELAXED

from .kept import KEPT
from .test_widget_site import FORBID
from .widget import AGAIN, Desk, Visitor, open_desk


@pytest.fixture
def desk(embedded: Server, browser: Browser) -> Iterator[Desk]:
    with open_desk(embedded, browser) as made:
        yield made


def signs_in(visitor: Visitor, name: str) -> None:
    visitor.page.get_by_role("button", name=f"Sign in as {name}").click()
    expect(visitor.page.get_by_role("button", name="Sign out")).to_be_visible()


def signs_out(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Sign out").click()
    expect(visitor.page.get_by_role("button", name="Sign in as ana")).to_be_visible()


def test_a_customer_finds_his_conversation_on_every_device(desk: Desk) -> None:
    agent = desk.agent()
    at_work, at_home = desk.visitor().goes_to(), desk.visitor().goes_to()
    signs_in(at_work, "ana")
    at_work.opens().says("My cup is broken")
    conversation = agent.takes()
    assert conversation["client"]["name"] == "Ana López"
    at_work.closes_the_tab()
    agent.says(conversation["room"], "A new one is on its way")
    signs_in(at_home, "ana")
    at_home.button.is_called("Open the chat, 1 unread message")
    at_home.opens().sees("A new one is on its way")
    assert at_home.texts() == ["My cup is broken", "A new one is on its way"]
    # Another customer has nothing of it.
    other = desk.visitor().goes_to()
    signs_in(other, "bruno")
    other.opens().says("I am Bruno")
    other.sees("I am Bruno", state="Sent")
    assert other.texts() == ["I am Bruno"]


def test_with_the_shops_sign_out_he_is_gone(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to()
    visitor.opens().says("Before I signed in")
    room = agent.takes()["room"]
    visitor.sees("Before I signed in", state="Sent")
    signs_in(visitor, "ana")
    # It was open and is; what he wrote before is his.
    visitor.sees("Before I signed in")
    visitor.says("And after")
    visitor.sees("And after", state="Sent")
    assert agent.messages(room) == ["Before I signed in", "And after"]
    signs_out(visitor)
    expect(visitor.composer).to_be_visible()
    visitor.says("Somebody else")
    visitor.sees("Somebody else", state="Sent")
    assert visitor.texts() == ["Somebody else"]
    assert agent.messages(room) == ["Before I signed in", "And after"]


def test_the_page_may_say_later_who_he_is(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    signed = identity(desk.inbox.secret, "c-77", "Carla")
    address = f"{desk.server.url}/widget.js"
    # As a page does that fetches what it shows.
    visitor.page.evaluate(
        "([address, signed]) => import(address).then(({ identify }) => identify(signed))",
        [address, signed],
    )
    visitor.says("I am Carla")
    assert agent.takes()["client"]["name"] == "Carla"
    visitor.page.evaluate(
        "(address) => import(address).then(({ identify }) => identify(null))", address
    )
    expect(visitor.said("I am Carla")).to_have_count(0)
    visitor.page.evaluate("(address) => import(address).then(({ close }) => close())", address)
    visitor.button.is_open(False)
    visitor.page.evaluate("(address) => import(address).then(({ open }) => open())", address)
    visitor.button.is_open(True)


def test_a_customer_whose_sites_word_has_ended_is_no_stranger_without_a_word(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to()
    signs_in(visitor, "ana")
    visitor.opens().says("My cup is broken")
    visitor.sees("My cup is broken", state="Sent")
    # As after a day at the same page: his socket ends, and what the page says of him is too old.
    desk.server.shell(f"""
from tertulia.support.models import Inbox, Visitor
from tertulia.support.visitors import end_tokens
Inbox.objects.filter(public_id={desk.inbox.id!r}).update(secret="another")
end_tokens(Visitor.objects.filter(inbox__public_id={desk.inbox.id!r}))
""")
    expect(visitor.frame.get_by_text("Load it anew to go on")).to_be_visible(timeout=AGAIN)
    visitor.says("And the saucer")
    visitor.keeps("And the saucer")
    desk.server.shell(f"""
from tertulia.support.models import Inbox
Inbox.objects.filter(public_id={desk.inbox.id!r}).update(secret={desk.inbox.secret!r})
""")
    visitor.page.reload()
    visitor.sees("And the saucer", state="Sent")
    assert visitor.texts() == ["My cup is broken", "And the saucer"]
    assert len(agent.conversations()) == 1
    # The browser, too, says that it was refused.
    assert all("401" in fault for fault in desk.faults)
    desk.faults.clear()


def test_an_identity_that_is_too_old_is_said_to_the_site_and_keeps_nobody_out(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    warned: list[str] = []
    visitor.page.on("console", lambda message: warned.append(message.text))
    visitor.page.evaluate(
        "([address, signed]) => import(address).then(({ identify }) => identify(signed))",
        [f"{desk.server.url}/widget.js", identity("not the inbox's secret", "c-78", "Dora")],
    )
    visitor.says("Hello")
    visitor.sees("Hello", state="Sent")
    assert agent.takes()["client"]["name"] != "Dora"
    assert any("signed identity was refused" in text for text in warned)
    # The browser, too, says that it was refused.
    assert all("401" in fault for fault in desk.faults)
    desk.faults.clear()


def test_a_tab_from_before_the_sign_in_shows_nothing_of_hers_after_it(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Before I signed in")
    room = agent.takes()["room"]
    visitor.sees("Before I signed in", state="Sent")
    other = visitor.opens_another_tab("/bowl").opens()
    other.sees("Before I signed in")
    introduced: list[str] = []
    other.page.on("request", lambda request: introduced.append(request.url))
    signs_in(visitor, "ana")
    visitor.sees("Before I signed in")
    expect(other.said("Before I signed in")).to_have_count(0)
    signs_out(visitor)
    # Nobody is made known there before he writes.
    assert not any("/visitor/" in url for url in introduced)
    other.says("Somebody else")
    other.sees("Somebody else", state="Sent")
    assert other.texts() == ["Somebody else"]
    assert agent.messages(room) == ["Before I signed in"]


def test_what_a_customer_has_not_sent_is_not_the_next_ones(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to()
    signs_in(visitor, "ana")
    # A customer is made known as soon as the frame is there.
    visitor.cannot_be_introduced()
    visitor.opens()
    visitor.says("Of Ana")
    visitor.composer.fill("Begun by Ana")
    visitor.sees("Of Ana", state="Waiting for the connection")
    visitor.keeps("Of Ana")
    signs_out(visitor)
    expect(visitor.composer).to_have_value("")
    visitor.can_be_introduced_again()
    signs_in(visitor, "bruno")
    visitor.says("Of Bruno")
    visitor.sees("Of Bruno", state="Sent")
    assert visitor.texts() == ["Of Bruno"]
    signs_out(visitor)
    signs_in(visitor, "ana")
    visitor.sees("Of Ana", state="Sent")
    expect(visitor.composer).to_have_value("Begun by Ana")
    said = {each["client"]["name"]: agent.messages(each["room"]) for each in agent.conversations()}
    assert said == {"Ana López": ["Of Ana"], "Bruno Díaz": ["Of Bruno"]}


def is_forgotten(visitor: Visitor, inbox: str) -> None:
    """Nothing is kept of him but that he was forgotten, by the site or by the chat's frames."""
    visitor.has_no_frame()
    names = visitor.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    assert names == [f"tertulia:{inbox}:forgotten"]


def test_a_computer_that_many_use_forgets_him(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("My secret")
    room = agent.takes()["room"]
    visitor.sees("My secret", state="Sent")
    other = visitor.opens_another_tab("/bowl").opens()
    other.sees("My secret")
    other.composer.fill("Begun there")
    visitor.loses_the_network()
    visitor.says("Never sent")
    visitor.sees("Never sent", state="Waiting for the connection")
    visitor.composer.fill("Begun here")
    visitor.keeps_only("Never sent", "Begun here")
    other.keeps_only("Never sent", "Begun there")
    visitor.calls("forget")
    for tab in (visitor, other):
        tab.button.is_open(False)
        is_forgotten(tab, desk.inbox.id)
    visitor.has_the_network_again()
    for tab in (visitor, other):
        assert tab.kept() == []
    visitor.opens().says("Somebody else")
    visitor.sees("Somebody else", state="Sent")
    assert visitor.texts() == ["Somebody else"]
    expect(visitor.composer).to_have_value("")
    other.opens().sees("Somebody else")
    expect(other.composer).to_have_value("")
    assert agent.messages(room) == ["My secret"]


@pytest.mark.parametrize("refused", [False, True])
def test_he_is_forgotten_also_where_the_conversation_was_not_opened(
    desk: Desk, refused: bool
) -> None:
    """By the mark that the frame finds; and where the browser refuses it any storage."""
    agent, visitor = desk.agent(), desk.visitor()
    if refused:
        visitor.context.add_init_script(FORBID)
    visitor.goes_to().opens()
    visitor.cannot_be_introduced()
    visitor.says("Never sent")
    visitor.sees("Never sent", state="Waiting for the connection")
    if not refused:
        visitor.keeps("Never sent")
        assert visitor.frame.evaluate(KEPT) == ["Never sent"]
    visitor.closes_the_tab()
    visitor.opens_a_tab("/bowl").button.is_open(False)
    visitor.calls("forget")
    is_forgotten(visitor, desk.inbox.id)
    visitor.can_be_introduced_again()
    visitor.opens().says("Somebody else")
    visitor.sees("Somebody else", state="Sent")
    (conversation,) = agent.conversations()
    assert agent.messages(conversation["room"]) == visitor.texts() == ["Somebody else"]
    if not refused:
        visitor.keeps_only()
    visitor.closes_the_tab()
    visitor.opens_a_tab()
    if not refused:
        assert visitor.kept() == []


def test_after_the_end_another_conversation_may_begin(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("My cup is broken")
    first = agent.takes()["room"]
    visitor.sees("My cup is broken", state="Sent")
    agent.request("conversation.resolve", room=first)
    visitor.frame.get_by_role("radio", name="Very well").press("Space")
    visitor.frame.locator("tertulia-rating").get_by_role("button", name="Send").click()
    expect(visitor.frame.get_by_text("Thank you for your rating.")).to_be_visible()
    another = visitor.frame.get_by_role("button", name="Start a new conversation")
    another.focus()
    visitor.page.keyboard.press("Enter")
    expect(visitor.composer).to_be_focused()
    visitor.shows()
    # Nothing is made for who thinks again.
    visitor.frame.get_by_role("button", name="Back to the last conversation").click()
    visitor.sees("My cup is broken")
    another.click()
    expect(visitor.said("My cup is broken")).to_have_count(0)
    visitor.says("And my bowl")
    visitor.says("Is blue")
    visitor.sees("Is blue", state="Sent")
    visitor.shows("And my bowl", "Is blue")
    (second,) = [each["room"] for each in agent.conversations()]
    assert second != first
    assert agent.messages(first) == ["My cup is broken"]
    assert agent.messages(second) == ["And my bowl", "Is blue"]
    # It is the one that is found again, and has a rating of its own.
    visitor.page.reload()
    visitor.sees("Is blue", state="Sent")
    agent.request("room.subscribe", room=second)
    agent.request("conversation.resolve", room=second)
    expect(visitor.frame.get_by_role("group", name="How well did we help you?")).to_be_visible()
    assert visitor.texts() == ["And my bowl", "Is blue"]


def test_another_conversation_begun_without_a_connection_is_begun_once(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("The first")
    first = agent.takes()["room"]
    visitor.sees("The first", state="Sent")
    other = visitor.opens_another_tab("/bowl").opens()
    agent.request("conversation.resolve", room=first)
    visitor.frame.get_by_role("button", name="Start a new conversation").click()
    visitor.loses_the_network()
    visitor.says("Another")
    visitor.says("In two parts")
    visitor.sees("In two parts", state="Waiting for the connection")
    visitor.keeps("Another", "In two parts")
    visitor.closes_the_tab()
    visitor.has_the_network_again()
    other.sees("In two parts", state="Sent")
    other.shows("Another", "In two parts")
    (second,) = [each["room"] for each in agent.conversations()]
    assert agent.messages(first) == ["The first"]
    assert agent.messages(second) == ["Another", "In two parts"]


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that can mail visitors: only then is an address asked for."""
    folder = tmp_path_factory.mktemp("letters")
    port = free_port()
    env = {
        **RELAXED,
        "TERTULIA_EMAIL_URL": f"file://{folder}?from=chat@example.org",
        "TERTULIA_URL": f"http://127.0.0.1:{port}",
    }
    server = Server(port=port, env=env).start()
    yield server
    server.remove()


def test_outside_the_hours_it_says_when_and_takes_an_address(
    mailing: Server, browser: Browser
) -> None:
    # Ten hours ahead of here, wherever the clock stands: half an hour each day.
    opens = time.gmtime(time.time() + 10 * 3600)
    begin = f"{opens.tm_hour:02d}:00"
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    weekly = {day: [[begin, f"{opens.tm_hour:02d}:30"]] for day in days}
    texts = {"en": {"away": "We are at the kiln."}}
    hours = {"time_zone": "UTC", "weekly": weekly}
    with open_desk(mailing, browser, hours=hours, texts=texts) as desk:
        agent = desk.agent()
        visitor = desk.visitor(timezone_id="UTC").goes_to().opens()
        expect(visitor.frame.locator("header")).to_contain_text(f"at {begin}")
        expect(visitor.log).to_contain_text("We are at the kiln.")
        expect(visitor.frame.get_by_label("Leave your e-mail")).to_have_count(0)
        visitor.says("Is anybody there?")
        field = visitor.frame.get_by_label("Leave your e-mail")
        field.fill("ana@")
        visitor.frame.get_by_role("button", name="Save").click()
        expect(visitor.frame.get_by_text("does not look like")).to_be_visible()
        desk.faults.clear()
        field.fill("ana@example.org")
        field.press("Enter")
        expect(visitor.frame.get_by_text("We have your address")).to_be_visible()
        room = agent.takes()["room"]
        known = agent.request("conversation.get", room=room)["visitor"]
        assert known["email"] == "ana@example.org"
        # Somebody answers all the same: then nobody is asked for an address any more.
        agent.says(room, "I am here")
        visitor.sees("I am here")
        expect(visitor.frame.get_by_text("We have your address")).to_have_count(0)


def test_without_mails_it_says_when_and_asks_for_no_address(
    embedded: Server, browser: Browser
) -> None:
    with open_desk(embedded, browser) as desk:
        visitor = desk.visitor().goes_to().opens()
        visitor.says("Is anybody there?")
        visitor.sees("Is anybody there?", state="Sent")
        expect(visitor.frame.locator(".card")).to_contain_text("Nobody is here at the moment.")
        expect(visitor.frame.get_by_label("Leave your e-mail")).to_have_count(0)


def test_the_end_is_rated_and_a_further_word_opens_it_again(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Thank you")
    room = agent.takes()["room"]
    visitor.sees("Thank you", state="Sent")
    agent.request("conversation.resolve", room=room)
    rate = visitor.frame.get_by_role("group", name="How well did we help you?")
    rate.get_by_role("radio", name="Very badly").focus()
    visitor.page.keyboard.press("Space")
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("ArrowRight")
    expect(rate.get_by_role("radio", name="Well", exact=True)).to_be_checked()
    visitor.frame.get_by_label("Anything to add?").fill("Quick")
    visitor.frame.locator("tertulia-rating").get_by_role("button", name="Send").click()
    expect(visitor.frame.get_by_text("Thank you for your rating.")).to_be_visible()
    state = agent.request("conversation.get", room=room)["conversation"]
    assert (state["rating"], state["rating_text"]) == (4, "Quick")
    # Who comes back is not asked again.
    visitor.page.reload()
    expect(visitor.frame.get_by_text("Thank you for your rating.")).to_be_visible()
    visitor.says("One more thing")
    expect(visitor.frame.get_by_text("This conversation is closed")).to_have_count(0)
    state = agent.request("conversation.get", room=room)["conversation"]
    assert state["status"] == "open"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("colour", ["#2457c5", "#f2c230", "#ffffff", "#000000"])
def test_axe_finds_nothing(embedded: Server, browser: Browser, scheme: str, colour: str) -> None:
    with open_desk(embedded, browser, colour=colour) as desk:
        agent = desk.agent()
        visitor = desk.visitor(color_scheme=scheme, reduced_motion="reduce").goes_to().opens()
        visitor.says("Hello, see https://example.org and `code`")
        room = agent.takes()["room"]
        agent.says(room, "> quoted\n\n**Hi**, [here](https://example.org)\n\n1. one\n2. two")
        visitor.sees("quoted")
        agent.request("typing.start", room=room)
        expect(visitor.log.locator(".typing")).to_be_visible()
        agent.request("conversation.resolve", room=room)
        expect(visitor.frame.get_by_role("group")).to_be_visible()
        visitor.frame.get_by_role("radio").first.focus()
        found = Axe().run(visitor.frame).response["violations"]  # type: ignore[arg-type]
        assert [
            (each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found
        ] == []
