"""What two people do in a room, each seen by the other at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import Person, until


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates(f"Room of {ana.name}")
    bea.opens(slug)
    bea.joins()
    return slug


def test_messages_appear_for_both(ana: Person, bea: Person, room: str) -> None:
    ana.says("hola")
    bea.sees("hola", by=ana.name)
    bea.says("buenas")
    for person in (ana, bea):
        person.sees("buenas", by=bea.name)
    ana.sees("hola", times=1)
    assert ana.texts() == bea.texts() == ["hola", "buenas"]


def test_editing_and_deleting(ana: Person, bea: Person, room: str) -> None:
    ana.says("helo wrold")
    bea.sees("helo wrold")
    ana.edits("helo wrold", "hello world")
    bea.sees("hello world")
    bea.does_not_see("helo wrold")
    ana.deletes("hello world")
    bea.does_not_see("hello world")


def test_reactions_and_replies(ana: Person, bea: Person, room: str) -> None:
    ana.says("good news")
    bea.sees("good news")
    bea.reacts_to("good news", "👍")
    ana.sees_reaction("good news", "👍", 1)
    bea.replies_to("good news", "congratulations")
    ana.sees("congratulations", by=bea.name)


def test_what_is_said_elsewhere_is_unread(ana: Person, meet: Meet, embedded: Server) -> None:
    bea = meet(embedded)
    bea.opens(ana.creates("Elsewhere"))
    bea.joins()
    bea.goes_home()
    ana.says(f"@{bea.name} where are you?")
    bea.has_unread("Elsewhere", mentions=1)
    bea.enters("Elsewhere")
    bea.sees("where are you?")
    bea.has_nothing_unread()


def test_a_direct_room(ana: Person, bea: Person) -> None:
    slug = ana.writes_to(bea.name)
    ana.says("just between us")
    bea.opens(slug)
    bea.sees("just between us")


def test_a_removed_member_sees_no_more(ana: Person, bea: Person) -> None:
    slug = ana.creates("Closed circle", private=True)
    ana.adds(bea.name)
    bea.opens(slug)
    ana.says("welcome")
    bea.sees("welcome")
    ana.removes(bea.name)
    ana.says("she is gone")
    ana.sees("she is gone")
    bea.does_not_see("she is gone")


def test_signing_out_ends_the_other_window(meet: Meet, embedded: Server, bea: Person) -> None:
    ana = meet(embedded)
    room = ana.creates("Open in two windows")
    bea.opens(room)
    bea.joins()
    other = Person(ana.page.context.new_page(), ana.base, ana.name)
    other.opens(room)
    ana.signs_out()
    bea.says("is Ana here?")
    bea.sees("is Ana here?")
    other.does_not_see("is Ana here?")


@pytest.mark.parametrize(
    "text",
    [
        "<script>document.title='owned'</script>",
        "<img src=x onerror=\"document.title='owned'\">",
        "[click](javascript:document.title='owned')",
    ],
)
def test_no_script_comes_with_a_message(ana: Person, bea: Person, room: str, text: str) -> None:
    ana.says(text)
    ana.says("end")
    bea.sees("end")
    assert "owned" not in bea.page.title()
    assert bea.log.locator("script, img").count() == 0
    for link in bea.log.locator("a[href]").all():
        assert not (link.get_attribute("href") or "").lower().startswith("javascript")


def test_guests_talk_on_a_playground(playground: Server, meet: Meet) -> None:
    first, second = meet(playground, known=False), meet(playground, known=False)
    first.opens("plaza")
    second.opens("plaza")
    for guest in (first, second):
        join = guest.page.get_by_role("button", name="Join")
        if join.count():
            guest.joins()
    first.says("hola from a guest")
    second.sees("hola from a guest", by=None)
    expect(second.message("hola from a guest").locator(".author")).to_have_text(
        re.compile(r"guest-")
    )


def test_the_page_speaks_spanish(meet: Meet, embedded: Server) -> None:
    ana = meet(embedded, locale="es-ES")
    assert ana.page.locator("html").get_attribute("lang") == "es"


def test_a_client_of_the_tutorial_is_in_the_same_room(
    ana: Person, bea: Person, room: str, meet: Meet, embedded: Server
) -> None:
    """The tutorial's own few lines of script, run in Bea's signed-in browser."""
    bea.page.goto(f"{embedded.url}/accounts/password/")
    bea.page.evaluate(
        """room => new Promise(resolve => {
            window.heard = [];
            const chatSocket = new WebSocket(
                'ws://' + window.location.host + '/ws/chat/' + room + '/');
            chatSocket.onmessage = e => window.heard.push(JSON.parse(e.data).message);
            chatSocket.onopen = () => {
                chatSocket.send(JSON.stringify({'message': 'from the tutorial'}));
                resolve();
            };
        })""",
        room,
    )
    ana.sees("from the tutorial", by=bea.name)
    ana.says("from the page")
    until(bea.page, "window.heard.length === 2")
    assert bea.page.evaluate("window.heard") == ["from the tutorial", "from the page"]
