"""Invitations that go out by mail, to a room and to the site: taken from a real mail server."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser
from tests.support.inviting import ask, connected, invites, link_in, links, listed, signs_up, until
from tests.support.mailserver import MailServer
from tests.support.sessions import signed_in

PASSWORD = "a quiet warm room"
SITE_PAGE = "/accounts/invite/"
PEOPLE: dict[str, dict[str, object]] = {
    "ana": {"is_staff": True, "is_superuser": True},
    "staff": {"is_staff": True},
    **{
        name: {}
        for name in ("bea", "gail", "mina", "carla", "rita", "tom", "una", "vera", "Zoë Núñez")
    },
}


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(post: MailServer) -> Iterator[Server]:
    """Sign-up by invitation, and the rates as they are by themselves."""
    env = {"TERTULIA_EMAIL_URL": post.url("from=chat@example.org")}
    server = Server(env=env).start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def browsers(site: Server) -> dict[str, Browser]:
    return signed_in(site, PASSWORD, PEOPLE)


@pytest.fixture
async def room(browsers: dict[str, Browser], site: Server) -> AsyncIterator[Callable[..., Any]]:
    """`await room("ana", "mina", name=…)`: a new private room of hers, with these members."""
    clients: dict[str, Client] = {}

    async def client(name: str) -> Client:
        if name not in clients:
            clients[name] = await connected(site, browsers[name])
        return clients[name]

    async def make(owner: str, *members: str, name: str = "Salón") -> str:
        ids = [(await client(member)).id for member in members]
        return await (await client(owner)).create(name, "private", members=ids)

    yield make
    for each in clients.values():
        await each.close()


async def test_who_has_no_account_comes_from_the_mail_into_the_room(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    ana = browsers["ana"]
    slug = await room("ana")
    told = invites(ana, slug, "Nora Nuño <nora@example.org>", "Ven, que hay café")
    assert told == {"sent": ["nora@example.org"], "waiting": [], "failed": []}
    mail = post.mail_to("nora@example.org")
    for said in ("ana invites you to the room “Salón”", "Ven, que hay café", "do nothing"):
        assert said in mail.text
    until = datetime.fromisoformat(listed(ana, slug)[0]["expires_at"])
    assert f"until {until.day} {until:%B %Y, %H:%M} (UTC)" in mail.text

    guest, page = signs_up(site, link_in(mail, site), "nora", PASSWORD)
    assert page.path.startswith("/chat/-/invitation/")
    assert "<bdi>ana</bdi> invites you" in page.text
    assert unquote(guest.submit(page.path, {}).path) == f"/chat/{slug}/"
    (line,) = listed(ana, slug)
    assert (line["uses"], line["mail"]) == (1, {"to": "nora@example.org", "state": "sent"})

    # It was for one person.
    assert Browser(site.url).get(link_in(mail, site)).status == 410
    refused = browsers["bea"].get(page.path)
    assert refused.status == 410
    assert "for one person" in refused.text


async def test_the_headers_say_what_they_should_and_nothing_of_the_machine(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    slug = await room("Zoë Núñez", name="Café ☕")
    invites(browsers["Zoë Núñez"], slug, "Zoë <hi@MÜNCHEN.example>")
    mail = post.mail_to("hi@xn--mnchen-3ya.example")
    head = mail.message
    assert head["From"] == "Tertulia <chat@example.org>"
    assert mail.sender == "chat@example.org"
    assert head["To"] == "hi@xn--mnchen-3ya.example"
    assert head["Subject"].strip() == "Zoë Núñez invites you to “Café ☕”"
    assert head["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[^@<>\s]+@\[127\.0\.0\.1\]>", head["Message-ID"])
    sent_at = parsedate_to_datetime(head["Date"]).replace(tzinfo=UTC)
    assert abs((sent_at - datetime.now(UTC)).total_seconds()) < 600
    assert head["Reply-To"] is None
    assert mail.greeting == "example.org"
    whole = head.as_string()
    assert socket.gethostname() not in whole
    # Nothing is fetched when it is read.
    assert not re.search(r"src=|url\(|<link|<img|@import", mail.html)
    # The list shows the address as people write it.
    assert listed(browsers["Zoë Núñez"], slug)[0]["mail"]["to"] == "hi@münchen.example"


async def test_nobody_slips_a_header_or_a_link_into_a_mail(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    bea = browsers["bea"]
    slug = await room("bea", name="Tea\u202e\u2066 <b>now</b> http://evil.example")
    before = len(post.mails)
    evil = (
        *('"\r\n" <a b@b.org>\r\nBcc: c@b.org x', "a\u202e@b.org", '"a\x01b"@b.org'),
        *(
            "a@b.org%0aBcc:c@b.org",
            "a\u2028@b.org",
            "x@[127.0.0.1]",
            "ñ@b.org",
            "@b.org",
        ),
    )
    for addresses in evil:
        told = invites(bea, slug, addresses)
        assert told["sent"] == told["waiting"] == [], addresses
        assert {failed["why"] for failed in told["failed"]} == {"address"}, addresses
    assert len(post.mails) == before
    for note in ("see https://evil.example", "WWW.evil.example", "x" * 301):
        answer = ask(bea, f"{links(slug)}mail/", {"addresses": "a@b.org", "note": note})
        assert answer.status == 400
        assert json.loads(answer.body)["error"]["field"] == "note"
    invites(bea, slug, "kind@example.org", "one\r\nBcc: c@b.org\u202e <i>two</i>")
    mail = post.mail_to("kind@example.org")
    assert mail.to == ["kind@example.org"]
    assert mail.message["Bcc"] is None
    assert "one Bcc: c@b.org <i>two</i>" in mail.text
    assert "&lt;i&gt;two" in mail.html
    assert "Tea <b>now</b> http: //evil.example" in mail.text
    assert "<b>" not in mail.html
    for text in (mail.text, mail.html, str(mail.message["Subject"])):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
    link_in(mail, site)


async def test_who_got_none_is_told_and_nothing_is_lost(
    browsers: dict[str, Browser], room: Any, post: MailServer, site: Server
) -> None:
    gail = browsers["gail"]
    slug = await room("gail")
    post.answers = {"gone@example.org": "550 5.1.1 no", "full@example.org": "450 4.2.2 later"}
    many = ", ".join(f"m{number}@example.org" for number in range(18))
    offset = site.log.stat().st_size
    told = invites(
        gail, slug, f"gone@example.org; full@example.org\n nonsense, {many} M0@example.org"
    )
    assert len(told["sent"]) == 18
    assert {failed["address"]: failed["why"] for failed in told["failed"]} == {
        "gone@example.org": "refused",
        "full@example.org": "later",
        "nonsense": "address",
    }
    assert len(listed(gail, slug)) == 18
    told = invites(gail, slug, ",".join(f"n{number}@example.org" for number in range(21)))
    assert told["failed"] == [{"address": "n20@example.org", "why": "many"}]
    log = site.tail(offset)
    assert "SMTPRecipientsRefused 550" in log
    assert "gone@" not in log


async def test_a_mail_server_that_is_away_is_told_of_at_once(
    browsers: dict[str, Browser], room: Any, post: MailServer, site: Server
) -> None:
    mina = browsers["mina"]
    slug = await room("mina")
    offset = site.log.stat().st_size
    post.goes_away()
    try:
        told = invites(mina, slug, "one@example.org two@example.org")
    finally:
        post.comes_back()
    assert told["sent"] == told["waiting"] == []
    assert [failed["why"] for failed in told["failed"]] == ["server", "server"]
    assert listed(mina, slug) == []
    log = site.tail(offset)
    assert log.count("was not sent") == 1
    assert "ConnectionRefusedError" in log
    assert "one@" not in log
    # Administrators see that mails fail, and how.
    assert "ConnectionRefusedError" in browsers["ana"].get(SITE_PAGE).text
    assert invites(mina, slug, "one@example.org")["sent"] == ["one@example.org"]


async def test_a_mail_server_that_hangs_keeps_nobody_waiting(
    browsers: dict[str, Browser], room: Any, post: MailServer, site: Server
) -> None:
    mina, carla = browsers["mina"], browsers["carla"]
    slug = await room("mina", "carla")
    before = post.greetings

    def state(browser: Browser, address: str) -> str:
        mails = [line["mail"] for line in listed(browser, slug)]
        return next((mail["state"] for mail in mails if mail["to"] == address), "none")

    def send(browser: Browser, address: str) -> asyncio.Task[dict[str, Any]]:
        return asyncio.create_task(asyncio.to_thread(invites, browser, slug, address))

    post.hangs()
    try:
        asked = [send(mina, "first@example.org")]
        await asyncio.to_thread(until, lambda: post.greetings > before)
        asked.append(send(carla, "second@example.org"))
        await asyncio.to_thread(until, lambda: state(carla, "second@example.org") == "waiting")
        # Pages go on meanwhile.
        assert site.status("/readyz") == 200
        assert carla.get(f"/chat/{slug}/").status == 200
        for told, address in zip(await asyncio.gather(*asked), ("first", "second"), strict=True):
            assert told == {"sent": [], "waiting": [f"{address}@example.org"], "failed": []}
        # What becomes of a mail afterwards is told by the list.
        post.hangs_up()
        until(lambda: state(mina, "first@example.org") == "failed")
        until(lambda: post.greetings > before + 1)
    finally:
        post.goes_on()
    post.mail_to("second@example.org")
    until(lambda: state(carla, "second@example.org") == "sent")


async def test_taking_an_invitation_back_ends_all_that_its_mail_opens(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    ana = browsers["ana"]
    slug = await room("ana")
    invites(ana, slug, "over@example.org, stays@example.org")
    paths = [link_in(post.mail_to(f"{name}@example.org"), site) for name in ("over", "stays")]
    (key,) = (line["id"] for line in listed(ana, slug) if line["mail"]["to"] == "over@example.org")
    assert ask(ana, f"{links(slug)}{key}/revoke/", {}).status == 200
    assert Browser(site.url).get(paths[0]).status == 410
    onward = urlsplit(paths[0]).query.partition("next=")[2]
    assert browsers["bea"].get(onward).status == 410
    assert Browser(site.url).get(paths[1]).status == 200


async def test_by_whom_nobody_makes_an_account_his_mail_says_so(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    slug = await room("bea")
    form = json.loads(ask(browsers["bea"], links(slug)).body)["mail"]
    assert (form["newcomers"], form["language"]) == (False, "en")
    # Whether an account has the address changes nothing.
    site.shell(
        "from django.contrib.auth import get_user_model as u\n"
        "u().objects.filter(username='vera').update(email='vera@example.org')"
    )
    told = invites(browsers["bea"], slug, "vera@example.org")
    assert told["sent"] == ["vera@example.org"]
    mail = post.mail_to("vera@example.org")
    assert "You need an account there already" in mail.text
    path = link_in(mail, site)
    assert (
        Browser(site.url).get(path, follow=False).headers["location"].startswith("/accounts/login")
    )
    assert browsers["vera"].submit(path, {}).status == 200
    assert [line["uses"] for line in listed(browsers["bea"], slug)] == [1]


async def test_only_who_sent_it_sees_the_address(browsers: dict[str, Browser], room: Any) -> None:
    slug = await room("mina", "bea")
    invites(browsers["bea"], slug, "secret@example.org")
    (line,) = listed(browsers["mina"], slug)
    assert line["mail"] == {"to": None, "state": "sent"}
    assert "secret@" not in ask(browsers["mina"], links(slug)).text
    (line,) = listed(browsers["bea"], slug)
    assert line["mail"]["to"] == "secret@example.org"


async def test_who_is_no_member_sends_nothing(browsers: dict[str, Browser], room: Any) -> None:
    slug = await room("mina")
    path = f"{links(slug)}mail/"
    body = {"addresses": "a@example.org"}
    assert ask(browsers["rita"], path, body).status == 404
    stranger = Browser(browsers["rita"].origin)
    stranger.get("/accounts/login/")
    assert ask(stranger, path, body).status == 401
    assert browsers["mina"].request("POST", path, json=body).status == 403
    assert ask(browsers["mina"], path).status == 405
    bodies: list[Any] = [{}, [], {"addresses": 7}, {"addresses": " ,; "}]
    for wrong in bodies:
        assert ask(browsers["mina"], path, wrong).status == 400


async def test_nobody_is_written_to_without_end(browsers: dict[str, Browser], room: Any) -> None:
    slug = await room("tom", "una")
    for name in ("tom", "una", "tom"):
        assert invites(browsers[name], slug, "Target@example.org")["sent"]
    told = invites(browsers["una"], slug, "target@example.org, other@example.org")
    assert told["failed"] == [{"address": "target@example.org", "why": "often"}]
    assert told["sent"] == ["other@example.org"]
    some = ",".join(f"t{number}@example.org" for number in range(20))
    assert len(invites(browsers["tom"], slug, some)["sent"]) == 20
    answer = ask(browsers["tom"], f"{links(slug)}mail/", {"addresses": some})
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_the_mail_is_in_the_language_and_the_time_of_who_invites(
    browsers: dict[str, Browser], room: Any, site: Server, post: MailServer
) -> None:
    slug = await room("carla")
    site.shell(
        "from tertulia.chat.models import Participant\n"
        "Participant.objects.filter(user__username='carla')"
        ".update(language='es', time_zone='Europe/Madrid')"
    )
    invites(browsers["carla"], slug, "rosa@example.org", "¡Ven!")
    mail = post.mail_to("rosa@example.org")
    assert mail.message["Subject"].strip() == "carla te invita a «Salón»"
    assert "carla escribe:\n  ¡Ven!" in mail.text
    assert re.search(r"hasta el \d+ de \w+ de \d{4}, \d\d:\d\d \(Europe/Madrid\)", mail.text)
    assert '<html lang="es"' in mail.html
    for word in (" the ", " you ", "link"):
        assert word not in mail.text + re.sub(r"<[^>]*>", "", mail.html)


# To the site


def send_from_the_page(browser: Browser, addresses: str, note: str = "") -> Answer:
    fields = {"addresses": addresses, "note": note}
    return browser.submit(SITE_PAGE, fields, action=f"{SITE_PAGE}mail/")


def test_the_staff_invites_to_the_site(
    browsers: dict[str, Browser], site: Server, post: MailServer
) -> None:
    ana = browsers["ana"]
    post.answers = {"gone@example.org": "550 no"}
    page = send_from_the_page(ana, "pia@example.org, gone@example.org", "Welcome")
    assert page.path == SITE_PAGE
    assert "Sent to: <bdi>pia@example.org</bdi>" in page.text
    # What failed stays in the field, with the line.
    field = re.search(r"<textarea[^>]*>\s*([^<]*)</textarea>", page.text)
    assert field
    assert field[1].strip() == "gone@example.org"
    assert 'value="Welcome"' in page.text
    assert "Sent to:" not in ana.get(SITE_PAGE).text

    mail = post.mail_to("pia@example.org")
    assert mail.message["Subject"] == f"ana invites you to {site.host}"
    path = link_in(mail, site)
    _pia, page = signs_up(site, path, "pia", PASSWORD)
    assert page.path == "/chat/"
    assert Browser(site.url).get(path).status == 410
    row = re.search(r"<tr>(?:(?!</tr>).)*pia@example.org.*?</tr>", ana.get(SITE_PAGE).text, re.S)
    assert row
    assert "1 of 1" in row[0]
    assert "used up" in row[0]


def test_an_address_on_the_page_is_for_its_sender_and_administrators(
    browsers: dict[str, Browser], post: MailServer
) -> None:
    send_from_the_page(browsers["ana"], "quiet@example.org")
    page = send_from_the_page(browsers["staff"], "loud@example.org")
    assert "loud@example.org" in page.text
    assert "quiet@example.org" not in page.text
    assert "a mail address" in page.text
    assert "loud@example.org" in browsers["ana"].get(SITE_PAGE).text
    assert ask(browsers["bea"], f"{SITE_PAGE}mail/", {}).status == 403


@pytest.mark.parametrize(
    ("addresses", "note", "told"),
    [
        ("", "", "id_addresses_error"),
        (" ; ,", "", "Write the address"),
        ("a@example.org", "www.evil.example", "id_note_error"),
    ],
)
def test_the_page_says_what_is_wrong_and_keeps_what_was_typed(
    browsers: dict[str, Browser], post: MailServer, addresses: str, note: str, told: str
) -> None:
    page = send_from_the_page(browsers["staff"], addresses, note)
    assert page.status == 400
    assert told in page.text
    assert addresses.strip() in page.text
    assert note in page.text
