"""Rooms as people use them: inviting, favourites, and the same counts on every device."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tertulia.testing.server import Server

from .conftest import PASSWORD, Meet
from .pages import Person


def test_somebody_comes_in_by_a_link(ana: Person, bea: Person) -> None:
    slug = ana.creates("Club de lectura", private=True)
    link = ana.makes_a_link("an hour")
    bea.page.goto(link)
    expect(bea.page.get_by_role("heading", level=1)).to_contain_text("Club de lectura")
    expect(bea.page.get_by_text("Ana invites you.")).to_be_visible()
    bea.page.get_by_role("button", name="Join").click()
    bea.page.wait_for_url(f"**/chat/{slug}/")
    bea.says("buenas")
    ana.closes_the_dialog()
    ana.sees("buenas", by="Bea")
    bea.page.goto(link)
    bea.page.wait_for_url(f"**/chat/{slug}/")


def test_a_link_that_was_taken_back_says_so(ana: Person, bea: Person) -> None:
    ana.creates("Not for long", private=True)
    link = ana.makes_a_link()
    dialog = ana.page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("^Take back")).click()
    expect(dialog.get_by_text("The link admits nobody any more.")).to_be_visible()
    expect(dialog.locator(".links li")).to_have_count(0)
    # The browser notes the status 410 in its console, which is no fault of the page.
    unwatched = bea.page.context.new_page()
    answer = unwatched.goto(link)
    assert answer is not None
    assert answer.status == 410
    expect(unwatched.get_by_text("The link has expired or was taken back.")).to_be_visible()
    unwatched.get_by_role("link", name="To my rooms").click()
    unwatched.wait_for_url("**/chat/")


def test_somebody_is_invited_by_name(ana: Person, bea: Person) -> None:
    slug = ana.creates("By name", private=True)
    ana.opens_the_invitations()
    dialog = ana.page.get_by_role("dialog")
    dialog.get_by_role("searchbox").fill("bea")
    dialog.get_by_role("button", name="Bea", exact=True).click()
    expect(dialog.get_by_text("Bea is a member now.")).to_be_visible()
    bea.opens(slug)
    bea.says("gracias")


def test_who_has_no_session_signs_in_and_comes_back(
    ana: Person, meet: Meet, embedded: Server
) -> None:
    slug = ana.creates("Round the corner", private=True)
    link = ana.makes_a_link()
    late = meet(embedded, known=False)
    embedded.createuser("late", password=PASSWORD)
    late.page.goto(link)
    late.page.get_by_label("Name").fill("late")
    late.page.get_by_label("Password").fill(PASSWORD)
    late.page.get_by_role("button", name="Sign in").click()
    late.page.get_by_role("button", name="Join").click()
    late.page.wait_for_url(f"**/chat/{slug}/")
    late.says("here I am")


def test_the_invitation_in_spanish(ana: Person, meet: Meet, embedded: Server) -> None:
    ana.creates("Sobremesa", private=True)
    link = ana.makes_a_link()
    rosa = meet(embedded, locale="es-ES")
    rosa.page.goto(link)
    expect(rosa.page.get_by_text("Te invita Ana.")).to_be_visible()
    expect(rosa.page.get_by_text("Es una sala privada con 1 miembro.")).to_be_visible()
    rosa.page.get_by_role("button", name="Unirse").click()
    expect(rosa.composer).to_be_visible()


# The same on every device


def second_device(meet: Meet, server: Server, person: Person) -> Person:
    """Another browser of the same person, at home."""
    device = meet(server, known=False)
    device.signs_in(person.name, PASSWORD)
    return device


def test_what_is_read_here_is_read_there(meet: Meet, embedded: Server, bea: Person) -> None:
    clara = meet(embedded)
    room = f"Two devices of {clara.name}"
    slug = clara.creates(room)
    clara.goes_home()
    phone = second_device(meet, embedded, clara)
    bea.opens(slug)
    bea.joins()
    bea.says(f"hola @{clara.name}")
    for device in (clara, phone):
        device.has_unread(room, mentions=1)
    phone.enters(room)
    phone.sees("hola")
    for device in (clara, phone):
        device.has_nothing_unread()
    # Read at once where the room is open: elsewhere it is unread for a moment at most.
    bea.says("and now?")
    phone.sees("and now?")
    phone.has_nothing_unread()
    clara.reloads()
    clara.has_nothing_unread()


def test_what_i_say_here_is_not_unread_there(meet: Meet, embedded: Server) -> None:
    clara = meet(embedded)
    room = f"My own words {clara.name}"
    clara.creates(room)
    phone = second_device(meet, embedded, clara)
    listed = phone.page.locator("#sidebar .room-link").filter(has_text=room)
    # The socket of the page that it came to by signing in is not the one to listen to.
    expect(listed).to_be_visible()
    with phone.page.expect_websocket() as socket:
        phone.goes_home()
    expect(listed).to_be_visible()
    with socket.value.expect_event("framereceived", lambda frame: "read.changed" in str(frame)):
        clara.says("note to myself")
    phone.has_nothing_unread()
    phone.enters(room)
    phone.sees("note to myself")


def test_a_name_of_two_words_is_mentioned(meet: Meet, embedded: Server, ana: Person) -> None:
    clara = meet(embedded)
    name = f"Clara Luz {clara.name}"
    embedded.shell(
        "from tertulia.chat.models import Participant;"
        f"p = Participant.objects.get(name={clara.name!r}); p.name = {name!r}; p.save()"
    )
    slug = ana.creates(f"Names {clara.name}")
    clara.opens(slug)
    clara.joins()
    clara.goes_home()
    ana.says(f"hola @{name}, ¿vienes?")
    clara.has_unread(f"Names {clara.name}", mentions=1)
    expect(ana.message("hola").locator(".mention")).to_have_text(f"@{name}")
