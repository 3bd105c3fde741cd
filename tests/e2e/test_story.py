"""From one command to two people who talk, and lose nothing when the server is killed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet, set_up_link


@pytest.fixture
def fresh() -> Server:
    """A new site, nobody in it, as the first command makes it."""
    server = Server().start()
    yield server  # type: ignore[misc]
    server.remove()


def test_two_people_talk_and_the_server_is_killed_in_the_middle(fresh: Server, meet: Meet) -> None:
    # Ana follows the set-up link and invites Bea.
    ana = meet(fresh, known=False)
    ana.signs_up(set_up_link(fresh), "ana", PASSWORD)
    ana.page.goto(f"{fresh.url}/accounts/invite/")
    ana.page.locator("form[method=post]").last.locator("button").last.click()
    invitation = re.search(r"http://[^\s\"<]+invite=[\w-]+", ana.page.content())
    assert invitation
    bea = meet(fresh, known=False)
    bea.signs_up(invitation.group(), "bea", PASSWORD)

    # They meet in a room.
    ana.goes_home()
    slug = ana.creates("The Lobby")
    ana.says("hola Bea")
    bea.opens(slug)
    bea.joins()
    bea.sees("hola Bea", by="ana")
    bea.says("hola Ana")
    ana.sees("hola Ana", by="bea")

    # The server dies. Both go on writing; nobody reloads anything.
    fresh.kill9()
    ana.says("are you still there?")
    bea.says("the line is dead")
    fresh.start()
    ana.sees("the line is dead", by="bea")
    bea.sees("are you still there?", by="ana")
    bea.says("and back again")
    ana.sees("and back again")

    # Both see the same, once each, in one order; and a reload shows nothing else.
    for person in (ana, bea):
        for text in ("hola Bea", "hola Ana", "are you still there?", "the line is dead"):
            person.sees(text, times=1)
        person.sees("and back again", times=1)
    assert ana.texts() == bea.texts()
    assert ana.seqs() == sorted(set(ana.seqs()))
    before = ana.texts()
    ana.reloads()
    ana.sees("and back again")
    assert ana.texts() == before


def test_killed_again_and_again_while_both_write(fresh: Server, meet: Meet) -> None:
    fresh.env["TERTULIA_SIGNUP"] = "open"
    fresh.restart()
    ana, bea = meet(fresh), meet(fresh)
    slug = ana.creates("Again")
    bea.opens(slug)
    bea.joins()
    for number in range(3):
        ana.says(f"before {number}")
        fresh.kill9()
        ana.says(f"ana {number}")
        bea.says(f"bea {number}")
        fresh.start()
    for person in (ana, bea):
        for number in range(3):
            for text in ("before", "ana", "bea"):
                person.sees(f"{text} {number}", times=1)
    assert ana.texts() == bea.texts()


def test_a_polite_restart_is_hardly_noticed(fresh: Server, meet: Meet) -> None:
    ana, bea = meet(fresh), meet(fresh)
    slug = ana.creates("Polite")
    bea.opens(slug)
    bea.joins()
    fresh.restart(kill=False)
    ana.says("after the restart")
    bea.sees("after the restart")
    expect(bea.composer).to_be_enabled()
