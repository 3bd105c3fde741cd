"""The life of a room and of its members, each step seen by the other at once."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import Meet
from .pages import Person


def listed(person: Person, room: str) -> None:
    """At the left, and nowhere twice."""
    expect(person.page.locator("#sidebar .room-link", has_text=room)).to_have_count(1)


def not_listed(person: Person, room: str) -> None:
    expect(person.page.locator("#sidebar .room-link", has_text=room)).to_have_count(0)


def is_in(person: Person, room: str) -> None:
    expect(person.page.get_by_role("heading", level=1, name=room, exact=True)).to_be_visible()


def test_the_life_of_a_room(ana: Person, bea: Person) -> None:
    # Bea finds it among the public rooms, and comes in.
    slug = ana.creates("Life of a room")
    bea.goes_home()
    bea.page.get_by_role("searchbox").fill("Life of")
    bea.page.locator(".offered").get_by_role("link", name="Life of a room").click()
    is_in(bea, "Life of a room")
    expect(bea.page.get_by_text("You are reading along. Join to take part.")).to_be_visible()
    not_listed(bea, "Life of a room")
    ana.opens_details()
    bea.joins()
    listed(bea, "Life of a room")
    ana.sees_member("Bea", "Member")

    # It gets another name and a topic; its address stays.
    ana.renames_the_room("The second name", "What it is about now")
    is_in(bea, "The second name")
    expect(bea.page.locator(".topic")).to_have_text("What it is about now")
    expect(bea.page).to_have_title(re.compile(r"The second name · Tertulia$"))
    listed(bea, "The second name")
    not_listed(bea, "Life of a room")
    assert bea.slug == slug

    # It is archived under Bea's hands, and brought back.
    ana.says("before the end")
    bea.sees("before the end")
    ana.archives_the_room()
    expect(bea.page.get_by_text(re.compile("This room is archived"))).to_be_visible()
    expect(bea.composer).to_have_count(0)
    bea.sees("before the end")
    # It stays in sight; whoever may bring it back can do so where she would write.
    listed(bea, "The second name")
    expect(bea.page.get_by_role("button", name="Open the room again")).to_have_count(0)
    ana.page.locator("#main").get_by_role("button", name="Open the room again").click()
    bea.says("and on it goes")
    ana.sees("and on it goes")

    # Bea leaves, comes back by the link that she knows, and nothing is missing.
    bea.leaves()
    not_listed(bea, "The second name")
    ana.sees_no_member("Bea")
    ana.says("she is gone")
    bea.opens(slug)
    bea.joins()
    bea.sees("she is gone")
    ana.sees_member("Bea", "Member")


def test_an_owner_makes_a_moderator_who_removes_somebody(
    ana: Person, bea: Person, meet: Meet, embedded: Server
) -> None:
    clara = meet(embedded)
    slug = ana.creates("With roles", private=True)
    for person in (bea, clara):
        ana.adds(person.name)
        person.opens(slug)
        person.opens_details()
    remove = bea.page.get_by_role("button", name=f"Remove {clara.name}")
    bea.sees_member("Ana", "Owner")
    expect(remove).to_have_count(0)

    ana.gives_role("Bea", "Moderator")
    bea.sees_member("Bea", "Moderator")
    clara.sees_member("Bea", "Moderator")
    bea.removes(clara.name)
    ana.sees_no_member(clara.name)
    expect(clara.page.get_by_text("You are no longer a member")).to_be_visible()
    not_listed(clara, "With roles")

    ana.gives_role("Bea", "Member")
    bea.sees_member("Bea", "Member")
    expect(bea.page.get_by_role("button", name=re.compile("^Remove"))).to_have_count(0)


def test_who_is_added_finds_the_room_at_the_left(ana: Person, bea: Person) -> None:
    ana.creates("A surprise", private=True)
    not_listed(bea, "A surprise")
    ana.adds("Bea")
    ana.says("welcome")
    bea.has_unread("A surprise")
    bea.enters("A surprise")
    bea.sees("welcome", by="Ana")


def test_the_same_people_find_the_same_room(
    ana: Person, bea: Person, meet: Meet, embedded: Server
) -> None:
    clara = meet(embedded)
    # Backspace takes the last one out again, Enter in the empty field begins.
    ana.page.get_by_role("button", name="Write to…").first.click()
    dialog = ana.page.get_by_role("dialog")
    for name in ("Bea", clara.name):
        dialog.get_by_role("searchbox").fill(name)
        expect(dialog.get_by_role("button", name=name, exact=True)).to_be_visible()
        dialog.get_by_role("searchbox").press("Enter")
    dialog.get_by_role("searchbox").press("Backspace")
    expect(dialog.locator(".chip")).to_have_text([re.compile("Bea")])
    dialog.get_by_role("searchbox").press("Enter")
    is_in(ana, "Bea")

    three = ana.writes_to("Bea", clara.name)
    is_in(ana, f"Bea and {clara.name}")
    ana.says("the three of us")
    bea.has_unread(f"Ana and {clara.name}")

    # In another order, and by somebody else: the same room.
    clara.goes_home()
    assert clara.writes_to("Bea", "Ana") == three
    clara.sees("the three of us", by="Ana")
    clara.says("here I am")
    ana.sees("here I am")

    # Without Bea it is another one.
    two = ana.writes_to(clara.name)
    assert two != three
    ana.does_not_see("the three of us")
    ana.goes_home()
    assert ana.writes_to(clara.name) == two
