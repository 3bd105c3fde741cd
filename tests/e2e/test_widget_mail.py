"""An answer that reaches the visitor by mail, and the way back from there on another device."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tertulia.testing.processes import free_port
from tertulia.testing.server import Server
from tests.support.mailserver import MailServer
from tests.support_mail.mails import environment, links_in

from .conftest import Meet
from .inbox import Agent
from .inbox import Desk as Inboxes
from .pages import PATIENCE
from .widget import Desk, open_desk


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def mailing(post: MailServer) -> Iterator[Server]:
    port = free_port()
    env = {**environment(post), "TERTULIA_URL": f"http://127.0.0.1:{port}"}
    server = Server(port=port, env=env).start()
    yield server
    server.remove()


@pytest.fixture
def desk(mailing: Server, browser: Browser) -> Iterator[Desk]:
    with open_desk(mailing, browser) as made:
        yield made


def asks(desk: Desk, text: str, email: str) -> str:
    """Nobody is there: a visitor writes, leaves an address and goes. The answer's link."""
    visitor = desk.visitor().goes_to("/cup").opens()
    visitor.says(text)
    visitor.sees(text, state="Sent")
    visitor.frame.get_by_label("Leave your e-mail").fill(email)
    visitor.frame.get_by_role("button", name="Save").click()
    expect(visitor.frame.get_by_text("We have your address")).to_be_visible()
    visitor.closes_the_tab()
    return email


def test_the_link_of_a_mail_opens_the_conversation_on_another_device(
    desk: Desk, post: MailServer
) -> None:
    asks(desk, "Is it blue?", "nora@example.org")
    agent = desk.agent()
    room = agent.takes()["room"]
    agent.says(room, "It is blue.")
    link, _out = links_in(post.mail_to("nora@example.org"))
    assert link.startswith(f"{desk.site}/cup#tertulia=")

    other = desk.visitor()
    other.page.goto(link)
    other.button.is_open(True)
    other.sees("It is blue.")
    assert other.texts() == ["Is it blue?", "It is blue."]
    # Whoever copies the address of the page copies no more than that.
    assert other.page.url == f"{desk.site}/cup"
    other.says("Then I take it.")
    other.sees("Then I take it.", state="Sent")
    assert agent.messages(room) == ["Is it blue?", "It is blue.", "Then I take it."]
    # The device remembers, without the link.
    other.closes_the_tab()
    other.opens_a_tab("/bowl").opens()
    other.sees("Then I take it.")


def test_a_device_with_a_conversation_of_its_own_keeps_it(desk: Desk, post: MailServer) -> None:
    asks(desk, "The first matter", "omar@example.org")
    agent = desk.agent()
    room = agent.takes()["room"]
    agent.says(room, "Done.")
    link, _out = links_in(post.mail_to("omar@example.org"))
    other = desk.visitor().goes_to().opens()
    other.says("Quite another matter")
    other.sees("Quite another matter", state="Sent")
    other.closes_the_tab()
    other.opens_a_tab()
    other.page.goto(link)
    other.page.reload()
    other.sees("Done.")
    # In this tab it is the mail's, on every page.
    other.page.goto(f"{desk.site}/bowl")
    other.sees("Done.")
    other.closes_the_tab()
    other.opens_a_tab("/bowl").opens()
    other.sees("Quite another matter")
    expect(other.said("Done.")).to_have_count(0)


def test_a_link_that_is_too_old_says_so_and_one_can_write(desk: Desk) -> None:
    visitor = desk.visitor()
    visitor.page.goto(f"{desk.site}/cup#tertulia=W10:1:made-up")
    visitor.button.is_open(True)
    trouble = visitor.frame.locator("tertulia-trouble")
    expect(trouble).to_contain_text("The link in the mail is too old")
    assert all("401" in fault for fault in desk.faults)
    desk.faults.clear()
    visitor.says("Hello?")
    visitor.sees("Hello?", state="Sent")
    expect(trouble).to_be_empty()


def test_a_bare_mark_in_the_address_opens_the_widget(desk: Desk) -> None:
    visitor = desk.visitor()
    visitor.page.goto(f"{desk.site}/cup?size=2#tertulia")
    visitor.button.is_open(True)
    assert visitor.page.url == f"{desk.site}/cup?size=2"


def test_on_a_telephone_the_link_shows_the_conversation_at_once(
    desk: Desk, post: MailServer
) -> None:
    asks(desk, "Is it green?", "pia@example.org")
    agent = desk.agent()
    agent.says(agent.takes()["room"], "It is green.")
    link, _out = links_in(post.mail_to("pia@example.org"))
    phone = desk.visitor(viewport={"width": 390, "height": 740})
    phone.page.goto(link)
    phone.sees("It is green.")
    expect(phone.composer).to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_more_mails_by_the_keyboard(
    desk: Desk, post: MailServer, browser: Browser, scheme: str
) -> None:
    email = f"rosa-{scheme}@example.org"
    asks(desk, "Is it red?", email)
    agent = desk.agent()
    room = agent.takes()["room"]
    agent.says(room, "It is red.")
    _back, out = links_in(post.mail_to(email))
    assert urlsplit(out).netloc == urlsplit(desk.server.url).netloc
    with browser.new_context(
        color_scheme=scheme, viewport={"width": 390, "height": 740}
    ) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.on("pageerror", lambda error: desk.faults.append(str(error)))
        page.on(
            "console",
            lambda said: desk.faults.append(said.text) if said.type == "error" else None,
        )
        page.goto(out)
        button = page.get_by_role("button", name="Send me no more mails")
        found = Axe().run(page).response["violations"]
        page.keyboard.press("Tab")
        expect(button).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("You get no more mails")
        found += Axe().run(page).response["violations"]
        assert found == []
    assert agent.request("conversation.get", room=room)["visitor"]["email"] == ""


def test_agents_see_how_the_mail_fares(meet: Meet, mailing: Server, post: MailServer) -> None:
    ana = Agent(meet(mailing))
    sent_to, refused = "vera@example.org", "nobody@example.org"
    post.answers[refused] = "550 no such user"
    who = [
        {"name": "Vera", "inbox": "Shop", "email": sent_to},
        {"name": "Nobody", "inbox": "Shop", "email": refused},
    ]
    made = Inboxes(mailing, {"Shop": [ana.name]}, who)
    made.server.shell(
        "from tertulia.support.models import Inbox\n"
        "Inbox.objects.filter(sites=[]).update(sites=['https://shop.example'])"
    )
    try:
        vera, nobody = made.visitors
        for visitor in (vera, nobody):
            visitor.says("Hello?")
        ana.opens_the_inbox()
        ana.opens(vera)
        ana.sees("Hello?", ".theirs")
        ana.answers("Here I am.")
        receipt = ana.sees("Here I am.", ".ours").locator(".receipt")
        details = ana.page.locator(".mailed")
        expect(receipt).to_have_text(re.compile(r"^Sent by mail \d"), timeout=PATIENCE)
        expect(details).to_contain_text("The last answer was mailed there")
        # Read in the conversation after all: that is what counts.
        vera.reads(vera.waits_for("Here I am.")["seq"])
        expect(receipt).to_have_text("Read by the visitor")
        ana.opens(nobody)
        ana.sees("Hello?", ".theirs")
        ana.answers("Here I am, too.")
        receipt = ana.sees("Here I am, too.", ".ours").locator(".receipt")
        expect(receipt).to_have_text("The mail could not be delivered", timeout=PATIENCE)
        expect(details).to_contain_text("could not be delivered")
    finally:
        made.close()
