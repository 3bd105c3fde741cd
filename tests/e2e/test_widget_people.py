"""Customers whom the shop knows, hours in which nobody is there, and what is said at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from examples.support_widget.shop import identity
from playwright.sync_api import Browser, expect

from tertulia.testing.server import Server

from .widget import Desk, Visitor, open_desk


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


def test_a_computer_that_many_use_forgets_him(desk: Desk) -> None:
    desk.agent()
    visitor = desk.visitor().goes_to().opens()
    visitor.says("My secret")
    visitor.sees("My secret", state="Sent")
    address = f"{desk.server.url}/widget.js"
    visitor.page.evaluate("(address) => import(address).then((it) => it.forget())", address)
    visitor.button.is_open(False)
    assert visitor.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    visitor.opens()
    visitor.says("Somebody else")
    visitor.sees("Somebody else", state="Sent")
    assert visitor.texts() == ["Somebody else"]


def test_outside_the_hours_it_says_when_and_takes_an_address(
    embedded: Server, browser: Browser
) -> None:
    # Ten hours ahead of here, wherever the clock stands: half an hour each day.
    opens = time.gmtime(time.time() + 10 * 3600)
    begin = f"{opens.tm_hour:02d}:00"
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    weekly = {day: [[begin, f"{opens.tm_hour:02d}:30"]] for day in days}
    texts = {"en": {"away": "We are at the kiln."}}
    hours = {"time_zone": "UTC", "weekly": weekly}
    with open_desk(embedded, browser, hours=hours, texts=texts) as desk:
        agent = desk.agent()
        visitor = desk.visitor(timezone_id="UTC").goes_to().opens()
        expect(visitor.frame.locator("header")).to_contain_text(f"at {begin}")
        expect(visitor.log).to_contain_text("We are at the kiln.")
        expect(visitor.frame.get_by_label("Leave your e-mail")).to_have_count(0)
        visitor.says("Is anybody there?")
        field = visitor.frame.get_by_label("Leave your e-mail")
        field.fill("ana@")
        visitor.frame.get_by_role("button", name="Leave it").click()
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
