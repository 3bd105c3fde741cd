"""The widget on somebody else's site: its policy, its cookies, its storage, and other sites."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, WebSocket, expect

from tertulia.testing.server import Server

from .conftest import Newcomers
from .pages import until
from .widget import AGAIN, Desk, Visitor, open_desk

# What a browser does to a frame of another site, where it forbids it to keep anything.
FORBID = """(() => {
    if (window === window.top) return;
    const no = { get() { throw new DOMException("Access is denied.", "SecurityError"); } };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, no);
    IDBFactory.prototype.open = () => no.get();
})()"""
# And to a page, where it forbids everything to everybody.
FORBID_ALL = FORBID.replace("if (window === window.top) return;", "")


@pytest.fixture
def desk(embedded: Server, browser: Browser) -> Iterator[Desk]:
    with open_desk(embedded, browser) as made:
        yield made


def test_it_needs_no_cookie(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Hello")
    room = agent.takes()["room"]
    agent.says(room, "Hi")
    visitor.sees("Hi")
    assert visitor.context.cookies() == []
    # On this device he is the same next time.
    visitor.closes_the_tab()
    visitor.opens_a_tab("/bowl").opens()
    visitor.sees("Hi")
    assert visitor.texts() == ["Hello", "Hi"]


def test_another_device_sees_nothing_of_it(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Hello")
    agent.takes()
    other = desk.visitor().goes_to().opens()
    other.says("Me too")
    other.sees("Me too", state="Sent")
    assert other.texts() == ["Me too"]
    assert len(agent.conversations()) == 2


def test_what_the_frame_may_not_keep_the_site_keeps(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor()
    visitor.context.add_init_script(FORBID)
    visitor.goes_to().opens()
    visitor.says("Hello")
    room = agent.takes()["room"]
    visitor.sees("Hello", state="Sent")
    visitor.loses_the_network()
    visitor.says("Not sent yet")
    visitor.sees("Not sent yet", state="Waiting for the connection")
    kept = "text => Object.values(localStorage).some(value => value.includes(text))"
    until(visitor.page, kept, "Not sent yet")
    visitor.closes_the_tab()
    visitor.has_the_network_again()
    visitor.opens_a_tab().opens()
    visitor.sees("Hello")
    visitor.sees("Not sent yet", state="Sent")
    assert visitor.texts() == agent.messages(room) == ["Hello", "Not sent yet"]
    # Nothing of it is left where it waited.
    until(
        visitor.page,
        "name => Object.keys(localStorage).join() === name",
        f"tertulia:{desk.inbox.id}:visitor",
    )


def test_where_nothing_is_kept_at_all_it_works_and_says_so(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor()
    visitor.context.add_init_script(FORBID_ALL)
    visitor.goes_to().opens()
    visitor.says("Hello")
    agent.says(agent.takes()["room"], "Hi")
    visitor.sees("Hi")
    visitor.loses_the_network()
    visitor.says("Offline")
    expect(visitor.said("Offline")).to_contain_text("leave the page open")
    visitor.has_the_network_again()
    visitor.sees("Offline", state="Sent")


def test_an_address_of_any_length_keeps_nobody_from_writing(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to(f"/cup?token={'x' * 3_000}").opens()
    visitor.says("Hello")
    visitor.sees("Hello", state="Sent")
    assert agent.takes()["url"] == f"{desk.site}/cup"
    # The address may change without a new page.
    visitor.page.evaluate("() => history.pushState(null, '', '/' + 'x'.repeat(3000))")
    again = desk.visitor().goes_to()
    again.page.evaluate("() => history.pushState(null, '', '/' + 'y'.repeat(3000))")
    again.opens().says("Me too")
    again.sees("Me too", state="Sent")
    urls = {conversation["url"] for conversation in agent.conversations()}
    assert urls == {f"{desk.site}/cup", f"{desk.site}/{'y' * 3_000}"[:2_000]}


# As if the page had an address that the server takes from nobody.
SPOIL = """(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        const { type, ...rest } = JSON.parse(data);
        const spoilt = { ...rest, type, url: "x".repeat(3000) };
        send.call(this, type === "conversation.open" ? JSON.stringify(spoilt) : data);
    };
})()"""


def test_what_keeps_a_conversation_from_being_shown_is_said(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Hello")
    visitor.sees("Hello", state="Sent")
    agent.takes()
    warned: list[str] = []
    visitor.context.add_init_script(SPOIL)
    visitor.page.on("console", lambda message: warned.append(message.text))
    visitor.page.reload()
    trouble = visitor.frame.locator("tertulia-trouble")
    expect(trouble).to_contain_text("Your conversation cannot be shown at the moment.")
    assert any("cannot be opened: invalid" in text for text in warned)


@pytest.mark.parametrize("status", [429, 503])
def test_a_chat_that_has_too_much_to_do_is_asked_again_when_it_wishes(
    desk: Desk, status: int
) -> None:
    asked: list[float] = []

    def busy(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        told = {"Retry-After": "3", "Access-Control-Expose-Headers": "Retry-After"}
        allowed = {"Access-Control-Allow-Origin": desk.site}
        route.fulfill(status=status, headers={**told, **allowed})

    visitor = desk.visitor()
    visitor.context.route("**/settings/", busy)
    visitor.goes_to().button.is_open(False)
    assert asked[1] - asked[0] >= 3
    # That the browser says so is no fault of ours.
    assert all(str(status) in fault for fault in desk.faults)
    desk.faults.clear()


def follow(visitor: Visitor) -> tuple[list[str], list[str]]:
    """Whom the server welcomes from now on, and the commands that it is sent."""
    welcomed: list[str] = []
    asked: list[str] = []

    def received(payload: str | bytes) -> None:
        frame = json.loads(payload)
        if frame["type"] == "welcome":
            welcomed.append(frame["me"]["kind"])

    def opened(socket: WebSocket) -> None:
        if "/ws/" in socket.url:
            socket.on("framereceived", received)
            socket.on("framesent", lambda payload: asked.append(json.loads(payload)["type"]))

    visitor.page.on("websocket", opened)
    return welcomed, asked


def test_who_is_signed_in_at_the_chat_is_nobody_in_the_widget(
    embedded: Server, browser: Browser, newcomers: Newcomers
) -> None:
    """The shop and the chat are of one site here, so that the browser shows the chat's cookie."""
    with open_desk(embedded, browser, host="127.0.0.1") as desk:
        agent, visitor = desk.agent(), desk.visitor()
        name, session = newcomers.take(embedded)
        cookie = {"name": "sessionid", "value": session, "url": embedded.url}
        visitor.context.add_cookies([cookie])  # type: ignore[list-item]
        visitor.page.goto(f"{embedded.url}/chat/")
        expect(visitor.page.locator(".account")).to_contain_text(name)
        welcomed, asked = follow(visitor)
        visitor.goes_to().opens()
        visitor.says("Who am I?")
        visitor.sees("Who am I?", state="Sent")
        client = agent.takes()["client"]
        assert client["kind"] == "visitor"
        assert client["name"] != name
        # The server did take him for the member at first; the widget asked nothing as such.
        assert welcomed == ["member", "visitor"]
        assert asked.count("room.list") == 1


# What no browser takes for an address.
NO_SITES = ("https://192.168.1.300", "https://shop.example.1", "https://xn--a")


def test_a_mistyped_site_is_no_harm_to_the_others(desk: Desk) -> None:
    desk.inbox.change(sites=[*NO_SITES, desk.site])
    agent, visitor = desk.agent(), desk.visitor().goes_to().opens()
    visitor.says("Hello")
    visitor.sees("Hello", state="Sent")
    agent.takes()


_CHECKED = """
import json
from django.core.exceptions import ValidationError
from tertulia.support.models import check_sites
refused = []
for site in json.loads({sites!r}):
    try:
        check_sites([site])
    except ValidationError:
        refused.append(site)
print(json.dumps(refused))
"""


def test_what_browsers_take_for_no_site_is_refused(embedded: Server) -> None:
    bad = ["192.168.1.300", "shop.example.1", "1", "10.1", "0x7f.0.0.1", "a.0x1", "a:99999"]
    good = ["192.168.1.30", "192.168.1.30:8000", "1.example", "shop1", "shop.example.x1", "0xa.de"]
    sites = json.dumps([f"https://{host}" for host in (*bad, *good)])
    told = embedded.shell(_CHECKED.format(sites=sites)).strip().splitlines()[-1]
    assert json.loads(told) == [f"https://{host}" for host in bad]


def test_a_site_that_the_inbox_does_not_know_shows_no_button(
    embedded: Server, browser: Browser
) -> None:
    with open_desk(embedded, browser, sites=["https://elsewhere.example"]) as desk:
        visitor = desk.visitor()
        asked_again: list[str] = []
        with (
            visitor.page.expect_console_message(lambda said: "is not for pages of" in said.text),
            visitor.page.expect_response("**/settings/") as asked,
        ):
            visitor.goes_to()
        assert asked.value.status == 403
        visitor.page.on("request", lambda request: asked_again.append(request.url))
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert not visitor.button.there
        # Longer than the first pause where it could not answer.
        visitor.page.wait_for_timeout(2_500)
        assert not any("/settings/" in url for url in asked_again)
        # That the browser says so too is no fault of ours.
        desk.faults.clear()


FRAME = """(address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    document.body.append(frame);
}"""


NOT_HERE = {
    "en": "This conversation is part of another site's page.",
    "es": "Esta conversación forma parte de la página de otro sitio.",
}


@pytest.mark.parametrize("language", ["en", "es"])
def test_in_a_tab_of_its_own_the_conversation_is_not_to_be_had(desk: Desk, language: str) -> None:
    visitor = desk.visitor().goes_to()
    visitor.page.goto(f"{visitor.frame_address}?lang={language}")
    expect(visitor.page.get_by_text(NOT_HERE[language], exact=True)).to_be_visible()
    expect(visitor.composer).to_have_count(0)


# The page around has so much to do that it hears of the frame late.
LATE = """(() => {
    addEventListener("message", (event) => {
        const { data, origin, source } = event;
        if (data !== "tertulia:ready" || !event.isTrusted) return;
        event.stopImmediatePropagation();
        const again = new MessageEvent("message", { data, origin, source });
        window.hears = () => dispatchEvent(again);
    });
})()"""


def test_a_page_that_begins_it_late_begins_it_all_the_same(desk: Desk) -> None:
    agent, visitor = desk.agent(), desk.visitor()
    visitor.context.add_init_script(LATE)
    visitor.goes_to().button.presses(visitor.page)
    not_here = visitor.frame.get_by_text(NOT_HERE["en"], exact=True)
    expect(not_here).to_be_visible(timeout=AGAIN)
    visitor.page.evaluate("window.hears()")
    visitor.is_ready()
    expect(not_here).to_have_count(0)
    visitor.says("Better late")
    visitor.sees("Better late", state="Sent")
    assert agent.messages(agent.takes()["room"]) == ["Better late"]


def test_another_site_cannot_frame_the_conversation(embedded: Server, browser: Browser) -> None:
    with open_desk(embedded, browser, sites=["https://elsewhere.example"]) as desk:
        visitor = desk.visitor().goes_to()
        address = f"{embedded.url}{desk.inbox.path}"
        with visitor.page.expect_event(
            "requestfailed", lambda request: request.url == address
        ) as refused:
            visitor.page.evaluate(FRAME, address)
        assert "BLOCKED_BY_RESPONSE" in str(refused.value.failure)
        # Once the inbox is for this site, the same is shown.
        desk.inbox.change(sites=[desk.site])
        visitor.goes_to().page.evaluate(FRAME, address)
        # But nothing in that page begins it.
        not_here = visitor.frame.get_by_text(NOT_HERE["en"], exact=True)
        expect(not_here).to_be_visible(timeout=AGAIN)
        expect(visitor.composer).to_have_count(0)
        told = ("frame-ancestors", "403")
        assert all(any(sign in fault for sign in told) for fault in desk.faults), desk.faults
        desk.faults.clear()


def test_other_frames_of_the_page_are_told_nothing(desk: Desk) -> None:
    """Only the conversation's own frame, by window and origin, is given the channel."""
    visitor = desk.visitor().goes_to().opens()
    visitor.says("Hello")
    visitor.sees("Hello", state="Sent")
    visitor.page.evaluate("document.body.append(document.createElement('iframe'))")
    (other,) = [frame for frame in visitor.page.frames if frame.url == "about:blank"]
    other.evaluate(
        """() => {
            window.heard = [];
            window.onmessage = ({ data }) => window.heard.push(data);
            window.parent.postMessage("tertulia:ready", "*");
        }"""
    )
    visitor.says("Still here")
    visitor.sees("Still here", state="Sent")
    assert other.evaluate("window.heard") == []


def test_the_frame_believes_only_the_page_around_it(desk: Desk) -> None:
    """What somebody else says first, or what comes later without the channel, starts nothing."""
    visitor = desk.visitor().goes_to().opens()
    before = visitor.page.evaluate("Object.keys(localStorage)")
    frame = visitor.frame
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    frame.evaluate(
        """() => {
            const { port2 } = new MessageChannel();
            window.postMessage({ type: "start", token: "a:b:c", identity: null }, "*", [port2]);
            window.postMessage({ type: "identity", identity: "x.y" }, "*");
        }"""
    )
    # What was said to it has been heard by the time that it has heard this.
    frame.evaluate("new Promise((heard) => { onmessage = heard; postMessage('last', '*'); })")
    assert not any("/visitor/" in url for url in asked)
    assert visitor.page.evaluate("Object.keys(localStorage)") == before


def test_the_sites_styles_do_not_reach_it(desk: Desk) -> None:
    visitor = desk.visitor().goes_to()
    visitor.button.is_called("Open the chat")
    host = visitor.page.locator("[data-tertulia]")
    assert host.evaluate("element => element.shadowRoot") is None
    # The shop writes in capitals in Georgia on its buttons, and bounds all widths.
    assert host.evaluate("element => getComputedStyle(element).position") == "fixed"
    assert "Georgia" not in host.evaluate("element => getComputedStyle(element).fontFamily")
    visitor.opens()
    box = visitor.page.locator("[data-tertulia]").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (56, 56)


def test_the_panel_fills_a_telephone(desk: Desk) -> None:
    visitor = desk.visitor(viewport={"width": 390, "height": 780}, has_touch=True)
    visitor.goes_to().opens()
    expect(visitor.composer).to_be_in_viewport()
    visitor.awaits("innerWidth === 390 && innerHeight === 780")
    visitor.says("Hello")
    visitor.frame.get_by_role("button", name="Close the chat").click()
    visitor.button.is_open(False)


@pytest.mark.parametrize("locale", ["en-GB", "es-ES", "fr-FR"])
@pytest.mark.parametrize("language", ["es", "fr"])
def test_it_speaks_as_the_page_does_then_as_the_browser(
    embedded: Server, browser: Browser, language: str, locale: str
) -> None:
    spanish = language == "es" or locale == "es-ES"
    with open_desk(embedded, browser, language=language) as desk:
        visitor = desk.visitor(locale=locale).goes_to()
        visitor.button.is_called("Abrir el chat" if spanish else "Open the chat")
        visitor.opens()
        wanted = "Escriba un mensaje…" if spanish else "Write a message…"
        expect(visitor.composer).to_have_attribute("placeholder", wanted)
