"""Ana invites somebody by mail; whoever reads it comes in, from a mail server into the room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tertulia.testing.server import Server
from tests.support.mailserver import MailServer

from .conftest import PASSWORD, Meet, set_up_link
from .pages import Person
from .test_access import faults


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(post: MailServer) -> Iterator[Server]:
    """A new site: sign-up is by invitation."""
    server = Server(env={"TERTULIA_EMAIL_URL": post.url("from=chat@example.org")}).start()
    yield server
    server.remove()


def link_in(post: MailServer, address: str) -> str:
    (link,) = re.findall(r"http://\S+", post.mail_to(address).text)
    return str(link)


def test_from_the_mail_into_the_room(site: Server, post: MailServer, meet: Meet) -> None:
    ana = meet(site, known=False)
    ana.signs_up(set_up_link(site), "ana", PASSWORD)
    ana.goes_home()
    slug = ana.creates("Club de lectura", private=True)
    post.answers = {"gone@example.org": "550 no"}

    # By keyboard alone, from the field to the button.
    ana.opens_the_invitations()
    dialog = ana.page.get_by_role("dialog")
    field = dialog.get_by_role("textbox", name="E-mail addresses")
    field.focus()
    ana.page.keyboard.type("Bea <bea@example.org>, gone@example.org")
    ana.page.keyboard.press("Tab")
    ana.page.keyboard.type("We read Lorca")
    ana.page.keyboard.press("Tab")
    ana.page.keyboard.press("Enter")
    expect(dialog.get_by_role("status").filter(has_text="Sent to: bea@example.org")).to_be_visible()
    expect(dialog.get_by_role("alert").filter(has_text="gone@example.org")).to_be_visible()
    # Whoever got none stays in the field, and there one goes on.
    expect(field).to_have_value("gone@example.org")
    expect(field).to_be_focused()
    line = dialog.locator(".links li").filter(has_text="bea@example.org")
    expect(line).to_contain_text("Not used yet")
    assert faults(ana) == []

    bea = meet(site, known=False, locale="es-ES", viewport={"width": 390, "height": 800})
    bea.page.goto(link_in(post, "bea@example.org"))
    expect(bea.page.get_by_text("Te invita ana.")).to_be_visible()
    for name, value in {"username": "bea", "password1": PASSWORD, "password2": PASSWORD}.items():
        bea.page.locator(f"[name={name}]").fill(value)
    bea.page.get_by_role("button", name="Crear una cuenta").click()
    bea.page.get_by_role("button", name="Unirse").click()
    bea.page.wait_for_url(f"**/chat/{slug}/")
    bea.says("aquí estoy")
    ana.closes_the_dialog()
    ana.sees("aquí estoy", by="bea")
    ana.opens_the_invitations()
    expect(line).to_contain_text("Used")


def test_the_page_of_the_site_tells_who_got_a_mail(
    site: Server, post: MailServer, meet: Meet
) -> None:
    post.answers = {"gone@example.org": "550 no"}
    pia = meet(site, viewport={"width": 390, "height": 800})
    code = "from django.contrib.auth.models import User; User.objects.filter(username=%r).update"
    site.shell(f"{code % pia.name}(is_staff=True)")
    pia.page.goto(f"{site.url}/accounts/invite/")
    pia.page.get_by_label("E-mail addresses").fill("leo@example.org\ngone@example.org")
    pia.page.get_by_role("button", name="Send the invitations").click()
    expect(pia.page.get_by_role("status")).to_have_text("Sent to: leo@example.org")
    expect(pia.page.get_by_role("alert")).to_contain_text("gone@example.org")
    expect(pia.page.get_by_label("E-mail addresses")).to_have_value("gone@example.org")
    assert pia.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert faults(pia) == []
    pia.page.get_by_role("button", name="Take back: leo@example.org").click()
    expect(pia.page.get_by_role("row").filter(has_text="leo@")).to_contain_text("taken back")
    leo = meet(site, known=False)
    answer = leo.page.request.get(link_in(post, "leo@example.org"))
    assert answer.status == 410


def test_a_member_learns_whom_his_mail_admits(site: Server, post: MailServer, meet: Meet) -> None:
    rosa = meet(site, locale="es-ES", viewport={"width": 390, "height": 800}, color_scheme="dark")
    rosa.page.goto(f"{site.url}/chat/")
    slug = _room_of(rosa)
    rosa.opens(slug)
    rosa.page.locator("#details-button").click()
    rosa.page.locator("#details").get_by_role("button", name="Invitar a gente").click()
    dialog = rosa.page.get_by_role("dialog", name="Invitar a gente")
    expect(dialog.get_by_text("deja entrar a quien ya tiene una cuenta")).to_be_visible()
    dialog.get_by_role("textbox", name="Direcciones de correo").fill("no es nada")
    dialog.get_by_role("button", name="Enviar las invitaciones").click()
    expect(dialog.get_by_text("no es una dirección de correo")).to_be_visible()
    assert faults(rosa) == []
    width: Any = rosa.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def _room_of(person: Person) -> str:
    """A new one, made without its dialogs, which are in Spanish here."""
    made: str = person.page.evaluate(
        """() => new Promise((resolve) => {
            const socket = new WebSocket(`ws://${location.host}/ws/`);
            socket.onopen = () => socket.send(JSON.stringify({type: "room.create", ref: 1,
                key: crypto.randomUUID(), name: "Sobremesa", kind: "private", members: []}));
            socket.onmessage = ({data}) => {
                const frame = JSON.parse(data);
                if (frame.type === "reply") { socket.close(); resolve(frame.result.room); }
            };
        })"""
    )
    return made
