"""One person at two devices: what is unread, and how it is told, is the same on both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet
from .pages import PATIENCE, Person


@pytest.fixture
def clara(meet: Meet, embedded: Server) -> Person:
    return meet(embedded)


@pytest.fixture
def phone(clara: Person, meet: Meet, embedded: Server) -> Person:
    """Clara's other device."""
    device = meet(embedded, known=False, viewport={"width": 390, "height": 844})
    device.signs_in(clara.name, PASSWORD)
    return device


def counts(person: Person, room: str, unread: int, mentions: int) -> None:
    """At the left, for a reader's ear too; in the title, and by the icon."""
    link = person.page.locator("#sidebar .room-link", has_text=room)
    number = link.locator(".count")
    if mentions:
        expect(number).to_have_text(re.compile(rf"^{mentions} "))
    else:
        expect(number).to_have_count(0)
    expect(person.page.locator('link[rel="icon"]')).to_have_attribute(
        "href", re.compile("icon-unread.svg$" if unread else "icon.svg$")
    )
    if unread:
        words = f"{unread} unread message" + ("s" if unread > 1 else "")
        expect(link.locator(".sr-only").first).to_have_text(words)
        expect(person.page).to_have_title(re.compile(rf"^\({unread}\) "))
    else:
        expect(person.page).to_have_title(re.compile(r"^[^(]"))


def test_counts_are_the_same_on_both(clara: Person, phone: Person, bea: Person) -> None:
    room = f"Both devices of {clara.name}"
    bea.opens(clara.creates(room))
    bea.joins()
    clara.goes_home()
    bea.says("one")
    bea.says(f"two, @{clara.name}")
    bea.says(f"three, @{clara.name}")
    for device in (clara, phone):
        counts(device, room, unread=3, mentions=2)
    # A message that is taken back is not waited for on either.
    bea.deletes("three")
    phone.enters(room)
    phone.sees("two")
    for device in (clara, phone):
        counts(device, room, unread=0, mentions=0)
    # The room is open on the phone alone: what comes is read at once, on both.
    bea.says(f"four, @{clara.name}")
    phone.sees("four")
    for device in (clara, phone):
        counts(device, room, unread=0, mentions=0)


def test_direct_messages_are_unread_on_both(clara: Person, phone: Person, bea: Person) -> None:
    bea.writes_to(clara.name)
    bea.says("psst")
    bea.says("are you there?")
    for device in (clara, phone):
        counts(device, "Bea", unread=2, mentions=0)
    clara.enters("Bea")
    clara.says("yes")
    for device in (clara, phone):
        counts(device, "Bea", unread=0, mentions=0)


def test_a_device_that_was_away_learns_what_was_read(
    clara: Person, phone: Person, bea: Person
) -> None:
    room = f"Away with {clara.name}"
    bea.opens(clara.creates(room))
    bea.joins()
    clara.goes_home()
    bea.says("before")
    counts(phone, room, unread=1, mentions=0)
    phone.loses_the_network()
    clara.enters(room)
    clara.sees("before")
    counts(clara, room, unread=0, mentions=0)
    clara.goes_home()
    bea.says(f"after, @{clara.name}")
    counts(clara, room, unread=1, mentions=1)
    phone.has_the_network_again()
    counts(phone, room, unread=1, mentions=1)


def test_a_window_in_the_background_reads_nothing(clara: Person, bea: Person) -> None:
    room = f"Behind for {clara.name}"
    slug = clara.creates(room)
    bea.opens(slug)
    bea.joins()
    clara.page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', {get: () => !window.looking});
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    bea.says("while she is elsewhere")
    clara.sees("while she is elsewhere")
    expect(clara.page).to_have_title(f"(1) {room} · Tertulia", timeout=PATIENCE)
    expect(clara.log.locator(".new-line")).to_have_count(1)
    clara.page.evaluate(
        "() => { window.looking = true; document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(clara.page).to_have_title(f"{room} · Tertulia")
    expect(clara.log.locator(".new-line")).to_have_count(1)
