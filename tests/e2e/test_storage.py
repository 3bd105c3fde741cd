"""A browser that keeps nothing, or too little: it is told, and nothing is lost in silence."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Route, WebSocketRoute, expect

import tertulia.chat
from tertulia.testing.server import Server

from .conftest import Meet
from .kept import KEPT
from .pages import Person, until

# Each is what some browser does to a page, and is set before the page's own scripts run.
NO_INDEXED = """
IDBFactory.prototype.open = () => { throw new DOMException("Not here.", "SecurityError"); };
"""
# As IndexedDB does when its files are broken, or another program holds them.
MUTE_INDEXED = "IDBFactory.prototype.open = () => new EventTarget();"
# Opened, and full: what is written is taken back, as the browser does it at the end of its quota.
FULL_INDEXED = """
for (const name of ["add", "put"]) {
    const write = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...record) {
        const request = write.apply(this, record);
        this.transaction.abort();
        return request;
    };
}
"""
FULL_LOCAL = """
Storage.prototype.setItem = () => { throw new DOMException("Full.", "QuotaExceededError"); };
"""
NO_LOCAL = """
for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
    get() { throw new DOMException("Not here.", "SecurityError"); },
});
"""
WARNING = "This browser keeps nothing: leave this page open until it is sent."
OUTBOX = Path(tertulia.chat.__file__).parent / "static/tertulia/sdk/outbox.js"

# Of the two that are said here these are on the disk, which a busy one takes its time for.
STILL_KEPT = f"""async (texts) => (await ({KEPT})())
    .filter((text) => ["behind it", "under way"].includes(text)).sort().join() === texts.join()"""

Arrive = Callable[[str], tuple[Person, Person]]


@pytest.fixture
def arrive(meet: Meet, embedded: Server, bea: Person) -> Arrive:
    """`arrive(script)`: Ana, in whose browser the script runs first, and Bea, in one room."""

    def opened(script: str) -> tuple[Person, Person]:
        ana = meet(embedded)
        slug = ana.creates("Short of room")
        ana.page.context.add_init_script(script)
        ana.opens(slug)
        bea.opens(slug)
        return ana, bea

    return opened


def warned(ana: Person) -> Any:
    return ana.log.locator(".delivery", has_text=WARNING)


@pytest.mark.parametrize(
    "script", [NO_INDEXED + NO_LOCAL, FULL_INDEXED + FULL_LOCAL, MUTE_INDEXED + FULL_LOCAL]
)
def test_what_the_browser_does_not_keep_is_told_and_sent_from_memory(
    arrive: Arrive, script: str
) -> None:
    ana, bea = arrive(script)
    ana.says("with a connection")
    bea.sees("with a connection")
    ana.loses_the_network()
    ana.says("one")
    ana.says("two")
    ana.sees_unsent("one", "two")
    # Said once, below the last; and the browser asks before it lets the page go.
    expect(warned(ana)).to_have_count(1)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ana.page.once("dialog", stay)
    with ana.page.expect_event("dialog"):
        ana.page.close(run_before_unload=True)
    ana.sees_unsent("one", "two")
    assert asked == ["beforeunload"]
    ana.has_the_network_again()
    bea.sees("two", by=ana.name)
    ana.sees("two")
    expect(warned(ana)).to_have_count(0)
    assert ana.texts() == bea.texts() == ["with a connection", "one", "two"]


@pytest.mark.parametrize("script", [NO_INDEXED, FULL_INDEXED, MUTE_INDEXED])
def test_without_indexeddb_the_other_storage_does(arrive: Arrive, script: str) -> None:
    ana, bea = arrive(script)
    ana.loses_the_network()
    ana.says("one")
    ana.says("two")
    ana.sees_unsent("one", "two")
    until(ana.page, "localStorage.length >= 2")
    expect(warned(ana)).to_have_count(0)
    # The page goes without a question; what it had written is there for the next.
    page = ana.page
    page.goto("about:blank")
    ana.has_the_network_again()
    ana.goes_home()
    bea.sees("two", by=ana.name)
    assert bea.texts() == ["one", "two"]
    until(page, "!Object.keys(localStorage).some((name) => name.startsWith('tertulia:outbox:'))")


def test_what_a_worse_day_left_goes_first_and_once(arrive: Arrive) -> None:
    """IndexedDB was full, and has room again."""
    ana, bea = arrive("if (!window.name) {" + FULL_INDEXED + "}")
    ana.loses_the_network()
    ana.says("on the worse day")
    until(ana.page, "localStorage.length >= 1")
    # The name of a window outlives its pages.
    slug, page = ana.slug, ana.page
    page.evaluate("window.name = 'better'")
    page.goto("about:blank")
    ana.has_the_network_again()
    ana.opens(slug)
    ana.says("on the better one")
    bea.sees("on the better one", by=ana.name)
    bea.sees("on the worse day")
    ana.reloads()
    ana.sees("on the better one")
    assert ana.texts() == bea.texts() == ["on the worse day", "on the better one"]


def swallow(page: Page) -> None:
    """What the page sends to the server after its `ping` and readings is lost on the way."""

    def between(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if '"message.send"' not in str(frame):
                server.send(frame)

        route.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/"), between)


@pytest.mark.parametrize("broken", [False, True])
def test_an_outbox_that_forgets_when_it_sends_is_found_out(
    arrive: Arrive, embedded: Server, broken: bool
) -> None:
    """The same with the outbox as it is, and with one that is cleared on sending: the second loses
    the message, so the tests with a browser that is killed mean something."""
    ana, bea = arrive("")
    page = ana.page
    right = 'this.#change(item, { state: "sending" });'
    source = OUTBOX.read_text("utf-8")
    assert source.count(right) == 1
    wrong = source.replace(right, f"{right} void this.#store.remove(item.key);")

    def serve(route: Route) -> None:
        route.fulfill(body=wrong if broken else source, content_type="text/javascript")

    page.route("**/sdk/outbox.js", serve)
    swallow(page)
    ana.reloads()
    ana.says("under way")
    # It is known to be under way once the next one waits behind it.
    ana.says("behind it")
    ana.sees_unsent("under way", "behind it")
    page.wait_for_timeout(300)
    until(page, STILL_KEPT, ["behind it"] if broken else ["behind it", "under way"])
    slug = ana.slug
    page.close()
    ana = Person(page.context.new_page(), embedded.url, ana.name)
    ana.opens(slug)
    bea.sees("behind it")
    assert bea.texts() == (["behind it"] if broken else ["under way", "behind it"])
