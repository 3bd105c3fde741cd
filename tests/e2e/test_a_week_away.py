"""Who comes back after a week has what he missed, and what he had written is sent once."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Computer, Meet
from .pages import PATIENCE, Person

WEEK = timedelta(days=7)

AGE = """
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.db.models import F
from tertulia.chat.models import Event, Message
week = timedelta(days=7)
Event.objects.filter(room__slug={room!r}).update(at=F("at") - week)
Message.objects.filter(room__slug={room!r}).update(sent_at=F("sent_at") - week)
Session.objects.filter(pk__in={sessions!r}).update(expire_date=F("expire_date") - {weeks} * week)
"""


def a_week_passes(server: Server, room: str, *contexts: BrowserContext, weeks: int = 1) -> None:
    """For what was said in the room, and (or more than one) for the sessions of these browsers."""
    cookies = [cookie for context in contexts for cookie in context.cookies(server.url)]
    sessions = [each.get("value") for each in cookies if each.get("name") == "sessionid"]
    assert len(sessions) == len(contexts)
    server.shell(AGE.format(room=room, sessions=sessions, weeks=weeks))


# A socket outlives a short loss, and a connect token is good for half a minute: here neither is,
# as after a week.
SHORT_LIVED = """
const Native = WebSocket;
window.WebSocket = class extends Native {
    constructor(url) {
        super(url, "tertulia.v1");
        window.addEventListener("offline", () => this.close());
    }
};
"""


class Answers:
    """What the server answered to `room.subscribe`, newest last."""

    def __init__(self, page: Page) -> None:
        self.all: list[dict[str, Any]] = []
        page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._take)

    def _take(self, data: str | bytes) -> None:
        result = json.loads(data).get("result") or {}
        if "head" in result and ("events" in result or "messages" in result):
            self.all.append(result)

    @property
    def last(self) -> str:
        return "resumed" if "events" in self.all[-1] else "began anew"


@pytest.mark.parametrize(("missed", "how"), [(40, "resumed"), (600, "began anew")])
def test_a_page_that_slept_for_a_week(
    meet: Meet, embedded: Server, bea: Person, missed: int, how: str
) -> None:
    ana = meet(embedded)
    slug = ana.creates("A long sleep")
    ana.page.context.clock.install()
    answers = Answers(ana.page)
    ana.opens(slug)
    other = ana.opens_another_tab()
    bea.opens(slug)
    bea.joins()
    bea.says("before")
    ana.sees("before")
    ana.loses_the_network()
    for text in ("one of last week", "two of last week"):
        ana.says(text)
    ana.sees_unsent("one of last week", "two of last week")
    a_week_passes(embedded, slug, ana.page.context)
    bea.says_much(*(f"missed {number:03}." for number in range(missed)))
    ana.page.context.clock.fast_forward(WEEK // timedelta(milliseconds=1))
    ana.has_the_network_again()
    for person in (ana, other, bea):
        person.sees("two of last week", by=ana.name)
        person.sees("one of last week")
        person.sees_unsent()
        newest = person.texts()[-20:]
        said = [f"missed {number:03}." for number in range(missed - 18, missed)]
        assert newest == [*said, "one of last week", "two of last week"]
    assert answers.last == how
    # It goes on as before.
    bea.says("welcome back")
    ana.sees("welcome back")
    ana.says("thank you")
    bea.sees("thank you")


def test_a_browser_that_was_closed_for_a_week(
    computer: Computer, meet: Meet, embedded: Server, bea: Person
) -> None:
    slug = bea.creates("Holidays")
    bea.says("before")
    embedded.createuser("holidaymaker", password=PASSWORD)
    ana = Person(computer.page(), embedded.url)
    ana.signs_in("holidaymaker", PASSWORD)
    ana.opens(slug)
    ana.joins()
    ana.loses_the_network()
    ana.says("from the airport")
    ana.sees_unsent("from the airport")
    a_week_passes(embedded, slug, ana.page.context)
    ana.keeps("from the airport")
    computer.closes_the_browser()
    bea.says("missed")
    bea.sees("missed")
    page = computer.page()
    page.context.clock.install(time=datetime.now(UTC) + WEEK)
    ana = Person(page, embedded.url)
    ana.opens(slug)
    for person in (ana, bea):
        person.sees("from the airport", by="holidaymaker")
        person.sees_unsent()
        assert person.texts() == ["before", "missed", "from the airport"]


def test_a_session_that_ended_meanwhile_keeps_the_messages(
    computer: Computer, embedded: Server, bea: Person
) -> None:
    slug = bea.creates("Signed out meanwhile")
    embedded.createuser("forgotten", password=PASSWORD)
    ana = Person(computer.page(), embedded.url)
    ana.page.add_init_script(SHORT_LIVED)
    ana.signs_in("forgotten", PASSWORD)
    ana.opens(slug)
    ana.joins()
    ana.loses_the_network()
    ana.says("one")
    # Thirty days are what a session lasts.
    a_week_passes(embedded, slug, ana.page.context, weeks=5)
    ana.has_the_network_again()
    ana.is_told("You are signed out.")
    ana.sees_unsent("one")
    ana.says("two, while nobody listens")
    ana.keeps("one", "two, while nobody listens")
    computer.closes_the_browser()
    # Whichever page is opened, it is the one for signing in, which leads back there.
    ana = Person(computer.page(), embedded.url, "forgotten", outside=False)
    page = ana.page
    page.goto(f"{embedded.url}/chat/{slug}/")
    page.wait_for_url("**/accounts/login/**")
    page.locator("[name=username]").fill("forgotten")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"**/chat/{slug}/")
    for person in (ana, bea):
        person.sees("two, while nobody listens", by="forgotten")
        person.sees_unsent()
        assert person.texts() == ["one", "two, while nobody listens"]


def test_signing_in_again_from_the_page_that_was_signed_out(
    meet: Meet, embedded: Server, bea: Person
) -> None:
    ana = meet(embedded)
    ana.page.add_init_script(SHORT_LIVED)
    ana.reloads()
    slug = ana.creates("In again")
    bea.opens(slug)
    ana.loses_the_network()
    ana.says("kept")
    a_week_passes(embedded, slug, ana.page.context, weeks=5)
    ana.has_the_network_again()
    ana.is_told("You are signed out.")
    ana.keeps("kept")
    ana.page.locator("#status").get_by_role("link", name="Sign in").click()
    ana.page.wait_for_url(re.compile("/accounts/login/"))
    ana.page.locator("[name=username]").fill(ana.name)
    ana.page.locator("[name=password]").fill(PASSWORD)
    ana.page.locator("[name=password]").press("Enter")
    ana.page.wait_for_url(f"**/chat/{slug}/")
    bea.sees("kept", by=ana.name)
    ana.sees("kept")
    ana.sees_unsent()
    expect(ana.page.locator("#status")).to_have_text("", timeout=PATIENCE)
