"""What the page says when things are not as usual, and that it never needs a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import PATIENCE, Person


@pytest.fixture
def room(ana: Person, bea: Person) -> str:
    """A room with both in it."""
    slug = ana.creates("All sorts of weather")
    bea.opens(slug)
    bea.joins()
    return slug


def line(person: Person) -> Locator:
    """About the connection; empty when it is simply there."""
    return person.page.locator("#status")


def test_the_connection_is_cut_and_comes_back(ana: Person, bea: Person, room: str) -> None:
    ana.says("before")
    bea.sees("before")
    bea.loses_the_network()
    expect(line(bea)).to_have_text("Offline")
    for number in range(5):
        ana.says(f"meanwhile {number}")
    ana.edits("before", "before, mended")
    ana.reacts_to("meanwhile 0", "🎉")
    bea.says("from a tunnel")
    expect(line(bea)).to_have_text("Offline: 1 message waits")
    expect(bea.unsent("from a tunnel")).to_contain_text("Waiting for the connection")
    bea.has_the_network_again()
    ana.sees("from a tunnel", by="Bea")
    expect(line(bea)).to_have_text("", timeout=PATIENCE)
    said = ["before, mended", *(f"meanwhile {number}" for number in range(5)), "from a tunnel"]
    for person in (ana, bea):
        person.sees("from a tunnel")
        assert person.texts() == said
    bea.sees_reaction("meanwhile 0", "🎉", 1)


def test_very_much_was_said_meanwhile(ana: Person, bea: Person, room: str) -> None:
    """More than the server sends after: the room begins anew at its newest messages."""
    ana.says("before")
    bea.sees("before")
    bea.loses_the_network()
    ana.says_much(*(f"meanwhile {n:03}." for n in range(600)))
    bea.has_the_network_again()
    expect(bea.sees("meanwhile 599.")).to_be_attached()
    loaded = bea.texts()
    last = [f"meanwhile {n:03}." for n in range(600)][-len(loaded) :]
    assert loaded == last
    bea.says("that was a lot")
    ana.sees("that was a lot")


def test_removed_while_reading(ana: Person, bea: Person) -> None:
    slug = ana.creates("For members", private=True)
    ana.adds("Bea")
    bea.opens(slug)
    ana.says("among us")
    bea.sees("among us")
    bea.composer.fill("what I was about to")
    ana.removes("Bea")
    main = bea.page.locator("#main")
    expect(main.get_by_role("heading", name="You are no longer a member")).to_be_visible()
    expect(bea.page.get_by_text("among us")).to_have_count(0)
    expect(bea.page.locator("#sidebar .room-link", has_text="For members")).to_have_count(0)
    expect(main.get_by_label("What you were writing")).to_have_value("what I was about to")
    expect(bea.page).to_have_title(re.compile("Tertulia$"))
    # The keyboard is not lost with the field that it was in.
    expect(bea.page.locator(":focus")).to_have_count(1)
    ana.adds("Bea")
    bea.enters("For members")
    bea.sees("among us")


def test_removed_with_messages_waiting(ana: Person, bea: Person) -> None:
    """What can no longer be sent can still be read, copied and discarded."""
    slug = ana.creates("A door that closes", private=True)
    ana.adds("Bea")
    bea.opens(slug)
    bea.loses_the_network()
    bea.says("too late")
    bea.sees_unsent("too late")
    bea.keeps("too late")
    ana.removes("Bea")
    bea.has_the_network_again()
    main = bea.page.locator("#main")
    expect(main.get_by_text("too late")).to_be_visible()
    bea.goes_home()
    bea.page.locator("#sidebar section", has_text="Not sent").get_by_role("link").click()
    expect(main.get_by_text("too late")).to_be_visible()
    main.get_by_role("button", name="Discard").click()
    expect(bea.page.get_by_text("too late")).to_have_count(0)
    expect(bea.page.locator("#sidebar section", has_text="Not sent")).to_have_count(0)


def test_a_room_in_which_something_was_refused_says_so_at_the_left(
    ana: Person, bea: Person
) -> None:
    slug = ana.creates("Closed meanwhile")
    bea.opens(slug)
    bea.joins()
    bea.loses_the_network()
    bea.says("nobody will read this")
    bea.page.get_by_role("link", name="Tertulia", exact=True).click()
    ana.archives_the_room()
    bea.has_the_network_again()
    row = bea.page.locator("#sidebar .room-link", has_text="Closed meanwhile")
    expect(row.locator(".not-sent")).to_have_count(1)


def test_removed_from_a_public_room(ana: Person, bea: Person, room: str) -> None:
    ana.says("in the open")
    bea.sees("in the open")
    ana.removes("Bea")
    expect(bea.page.get_by_text("You are reading along.")).to_be_visible()
    expect(bea.composer).to_have_count(0)
    bea.sees("in the open")


def test_signed_out_elsewhere(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    slug = clara.creates(f"Of {clara.name}")
    other = clara.opens_another_tab()
    other.composer.fill("half a sentence")
    clara.signs_out()
    expect(line(other)).to_contain_text("You are signed out.")
    link = line(other).get_by_role("link", name="Sign in")
    expect(link).to_have_attribute("href", re.compile(rf"\?next=.*{slug}"))
    link.click()
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("Sign in")


def test_barred_while_reading(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    clara.creates(f"Of {clara.name}")
    embedded.shell(
        "from django.contrib.auth import get_user_model\n"
        f"user = get_user_model().objects.get(username={clara.name!r})\n"
        "user.is_active = False\nuser.save()"
    )
    expect(line(clara)).to_contain_text(
        re.compile("You may no longer use this chat|You are signed out"), timeout=PATIENCE
    )


def test_a_room_that_is_not_there(ana: Person, bea: Person) -> None:
    secret = ana.creates("Behind a door", private=True)
    bea.goes_home()
    for slug in ("no-such-room", secret):
        # As a link inside the page does it, without asking the server for a page.
        bea.page.evaluate(
            """path => {
                const link = Object.assign(document.createElement('a'), {href: path});
                document.body.append(link);
                link.click();
                link.remove();
            }""",
            f"/chat/{slug}/",
        )
        expect(bea.page.get_by_role("heading", name="No such room")).to_be_visible()
        expect(bea.page.get_by_text("There is no room at this address")).to_be_visible()
        bea.page.locator("#main").get_by_role("link", name="To my rooms").click()
        expect(bea.page.get_by_role("heading", level=1)).to_contain_text("Bea")
    # A message that is not there is no reason to keep anybody from the room.
    room = bea.creates("With few messages")
    bea.says("the only one")
    bea.sees("the only one")
    bea.opens(room, 4711)
    expect(bea.page.locator("#notices")).to_contain_text("That message is not there.")
    bea.sees("the only one")


def test_the_first_steps(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    expect(clara.page.get_by_role("heading", level=1)).to_have_text(f"Welcome, {clara.name}")
    expect(clara.page.locator("#sidebar")).to_contain_text("You are in no room yet.")
    clara.creates(f"First of {clara.name}")
    expect(clara.log).to_contain_text("Say the first word.")
    expect(clara.composer).to_be_focused()
    clara.says("the first word")
    expect(clara.log).not_to_contain_text("Say the first word.")
    clara.page.go_back()
    expect(clara.page.get_by_role("heading", level=1)).to_have_text(
        f"Good to see you, {clara.name}"
    )
