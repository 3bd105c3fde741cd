"""A visitor of the example's shop, and what he does with the widget in its corner.

The button stands in a closed shadow root, which no script of the page reaches, the tests' neither:
it is found as a screen reader finds it, and pressed where it is seen.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from examples.support_widget.shop import Server as ShopServer
from examples.support_widget.shop import shop
from playwright.sync_api import Browser, BrowserContext, CDPSession, Frame, Locator, Page, expect

from tertulia.testing.processes import free_port
from tertulia.testing.server import Server
from tests.support.browser import Browser as PlainBrowser
from tests.support.desk import DeskAgent, Inbox

from .kept import KEPT, keeps

BUTTON = re.compile("^(Open|Close) the chat|^(Abrir|Cerrar) el chat")
PATIENCE = 15.0
# How a browser says what a test has done on purpose.
EXPECTED = ("ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket")
INTRODUCTION = "**/visitor/"
# Milliseconds: the widget asks again after 15 s at most, and then it has to come.
AGAIN = 30_000

# The frame begins with what the page around it says first. What is typed into its field before
# that, while nobody sees it, goes nowhere.
BEGUN = """addEventListener("message", ({ data }) => {
    if (data?.type === "start") window.begun = true;
});"""


class Button:
    """The widget's button, as a screen reader has it."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    def _node(self) -> dict[str, Any] | None:
        nodes = self._session.send("Accessibility.getFullAXTree")["nodes"]
        for node in nodes:
            if node.get("role", {}).get("value") == "button":
                name = node.get("name", {}).get("value", "")
                if BUTTON.match(name):
                    return dict(node)
        return None

    @property
    def there(self) -> bool:
        return self._node() is not None

    def _await(self, check: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            node = self._node()
            if node is not None and check(node):
                return node
            assert time.monotonic() < deadline, f"the button is not {what}: {node}"
            time.sleep(0.05)

    def is_called(self, name: str) -> None:
        self._await(lambda node: node["name"]["value"] == name, f"called {name!r}")

    def is_open(self, wanted: bool) -> None:
        self._await(lambda node: self._property(node, "expanded") is wanted, f"open={wanted}")

    def has_focus(self) -> None:
        self._await(lambda node: self._property(node, "focused") is True, "focused")

    @staticmethod
    def _property(node: dict[str, Any], name: str) -> Any:
        found = [p["value"]["value"] for p in node.get("properties", []) if p["name"] == name]
        return found[0] if found else None

    def presses(self, page: Page) -> None:
        node = self._await(lambda _: True, "there")
        where = {"backendNodeId": node["backendDOMNodeId"]}
        corners = self._session.send("DOM.getBoxModel", where)["model"]["border"]
        x, y = sum(corners[0::2]) / 4, sum(corners[1::2]) / 4
        page.mouse.click(x, y)


class Visitor:
    """Somebody at a page of the shop; third-party cookies are blocked in his browser."""

    def __init__(
        self, context: BrowserContext, site: str, faults: list[str], page: Page | None = None
    ) -> None:
        self.context = context
        self.site = site
        self.faults = faults
        self.page: Page = self._new_page(page)

    def _new_page(self, page: Page | None = None) -> Page:
        page = page or self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        self._session = self.context.new_cdp_session(page)
        self._session.send("Network.enable")
        blocked = {"enableThirdPartyCookieRestriction": True}
        self._session.send("Network.setCookieControls", blocked)
        self.button = Button(self._session)
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind == "error" and not any(sign in text for sign in EXPECTED):
            self.faults.append(text)

    # The shop

    def goes_to(self, path: str = "/") -> Visitor:
        self.page.goto(self.site + path)
        return self

    def closes_the_tab(self) -> None:
        self.page.close()

    def opens_a_tab(self, path: str = "/") -> Visitor:
        """In the same browser, in place of the one that he had in hand."""
        self.page = self._new_page()
        return self.goes_to(path)

    def duplicates_the_tab(self) -> Visitor:
        """Himself at the other: the browser copies what the tab keeps for its session."""
        with self.context.expect_page() as opened:
            self.page.evaluate("() => { open(location.href); }")
        return Visitor(self.context, self.site, self.faults, opened.value)

    def opens_another_tab(self, path: str = "/") -> Visitor:
        """Himself at the other."""
        return Visitor(self.context, self.site, self.faults).goes_to(path)

    def calls(self, name: str) -> None:
        """A function of the widget's module without arguments, as the shop's own scripts may."""
        self.page.evaluate(
            "([chat, name]) => import(chat).then((widget) => widget[name]())",
            [self.script, name],
        )

    @property
    def script(self) -> str:
        """The address of the widget's module, as it stands in the page."""
        found = self.page.locator("script[data-inbox]").get_attribute("src")
        assert found
        return found

    def cannot_be_introduced(self) -> None:
        """The chat's pages load, and nobody answers who he is."""
        self.context.route(INTRODUCTION, lambda route: route.abort("connectionrefused"))

    def can_be_introduced_again(self) -> None:
        self.context.unroute(INTRODUCTION)

    def kept(self) -> list[str]:
        """What frames of the chat keep in his browser for this site, seen by a bare one, in which
        nothing is started."""
        address = f"{self.frame_address}?bare"
        self.page.evaluate(
            """(address) => {
                const frame = document.createElement("iframe");
                frame.src = address;
                document.body.append(frame);
                return new Promise((resolve) => { frame.onload = () => resolve(); });
            }""",
            address,
        )
        (bare,) = [frame for frame in self.page.frames if frame.url == address]
        found: list[str] = bare.evaluate(KEPT)
        self.page.evaluate("() => document.querySelector('iframe').remove()")
        return found

    @property
    def frame_address(self) -> str:
        chat = self.script.removesuffix("/widget.js")
        inbox = self.page.locator("script[data-inbox]").get_attribute("data-inbox")
        return f"{chat}/support/{inbox}/"

    def has_no_frame(self) -> None:
        """The widget's frame has gone, or there was none."""
        deadline = time.monotonic() + PATIENCE
        while any("/support/" in frame.url for frame in self.page.frames):
            assert time.monotonic() < deadline, "the frame is still there"
            self.page.wait_for_timeout(50)

    def loses_the_network(self) -> None:
        """Returns when the widget knows: what is said after it does not reach the server."""
        self.context.set_offline(True)
        trouble = self.frame.locator("tertulia-trouble")
        expect(trouble).to_contain_text("You are offline", timeout=AGAIN)

    def has_the_network_again(self) -> None:
        self.context.set_offline(False)

    # The widget

    def opens(self) -> Visitor:
        self.button.is_open(False)
        self.button.presses(self.page)
        self.is_ready()
        return self

    def is_ready(self) -> None:
        """To be written to: the page around has begun it."""
        expect(self.composer).to_be_visible()
        self.awaits("window.begun === true")

    def awaits(self, expression: str) -> None:
        """Until it is true in the conversation's page."""
        deadline = time.monotonic() + PATIENCE
        while not self.frame.evaluate(expression):
            assert time.monotonic() < deadline, f"still not: {expression}"
            self.page.wait_for_timeout(50)

    @property
    def frame(self) -> Frame:
        """The conversation's page."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [frame for frame in self.page.frames if "/support/" in frame.url]
            if found:
                return found[0]
            assert time.monotonic() < deadline, "the widget has no frame"
            self.page.wait_for_timeout(50)

    @property
    def composer(self) -> Locator:
        return self.frame.get_by_role("textbox", name=re.compile("^(Message|Mensaje)$"))

    @property
    def log(self) -> Locator:
        return self.frame.get_by_role("log")

    def says(self, text: str) -> None:
        self.is_ready()
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.composer).to_have_value("")
        expect(self.said(text)).to_have_count(1)

    def keeps(self, *texts: str) -> None:
        keeps(self.frame, *texts)

    def keeps_only(self, *texts: str) -> None:
        """These and nothing else: what was sent is put away a moment later."""
        deadline = time.monotonic() + PATIENCE
        while set(found := self.frame.evaluate(KEPT)) != set(texts):
            assert time.monotonic() < deadline, f"kept are {found}"
            self.page.wait_for_timeout(50)

    def has_unsent(self, count: int) -> None:
        """Until the site's pages know of so many messages that are to be sent."""
        names = "() => Object.keys(localStorage).filter((name) => name.includes(':outbox:'))"
        deadline = time.monotonic() + PATIENCE
        while len(found := self.page.evaluate(names)) != count:
            assert time.monotonic() < deadline, f"unsent are {found}"
            self.page.wait_for_timeout(50)

    def said(self, text: str) -> Locator:
        words = self.frame.locator(".text", has_text=text)
        return self.log.locator("article").filter(has=words)

    def sees(self, text: str, *, state: str | None = None, by: str | None = None) -> Locator:
        """A message once, with how it stands with it, or by whom it is."""
        found = self.said(text)
        expect(found).to_have_count(1, timeout=AGAIN)
        if state is not None:
            expect(found.locator(".state")).to_have_text(state, timeout=AGAIN)
        if by is not None:
            expect(found.locator(".byline")).to_have_text(by)
        return found

    def texts(self) -> list[str]:
        return self.log.locator("article .text").all_inner_texts()

    def shows(self, *texts: str) -> None:
        """These from top to bottom, once it has been painted."""
        expect(self.log.locator("article .text")).to_have_text(texts, use_inner_text=True)


class Desk:
    """An inbox of a server, its shop, its agents and visitors; all end with the test."""

    def __init__(self, server: Server, browser: Browser, stack: ExitStack, **how: Any) -> None:
        self.server = server
        self.browser = browser
        self.faults: list[str] = []
        self._stack = stack
        language = how.pop("language", "en")
        host = how.pop("host", "localhost")
        port = free_port()
        self.site = f"http://{host}:{port}"
        sites = how.pop("sites", [self.site])
        self.inbox = Inbox(server, "Barro y Fuego", sites=sites, **how)
        self._open(shop(server.url, self.inbox.id, self.inbox.secret, port, language))

    def _open(self, made: ShopServer) -> None:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        self._stack.callback(made.server_close)
        self._stack.callback(made.shutdown)

    def agent(self) -> DeskAgent:
        """Somebody new who answers here, connected."""
        ((name, token),) = self.server.people(1)
        self.inbox.employ(name)
        made = DeskAgent(self.server, name, token)
        self._stack.callback(made.close)
        return made

    def waits_for_somebody(self) -> None:
        """Until the inbox says that an agent is there, which takes a moment after he connected."""
        shop = PlainBrowser(self.server.url)
        deadline = time.monotonic() + PATIENCE
        while not json.loads(shop.get(f"{self.inbox.path}settings/").body)["here"]:
            assert time.monotonic() < deadline, "nobody is there"
            time.sleep(0.1)

    def visitor(self, locale: str = "en-GB", **how: Any) -> Visitor:
        # High enough that the open panel covers nothing that is pressed.
        size = {"viewport": {"width": 1280, "height": 1000}, **how}
        context = self.browser.new_context(locale=locale, **size)
        self._stack.callback(context.close)
        context.add_init_script(BEGUN)
        return Visitor(context, self.site, self.faults)


@contextmanager
def open_desk(server: Server, browser: Browser, **how: Any) -> Iterator[Desk]:
    """The page's faults, refusals of either site's policy among them, fail the test."""
    with ExitStack() as stack:
        desk = Desk(server, browser, stack, **how)
        yield desk
    assert desk.faults == []
