"""Real mail servers of every kind that TERTULIA_EMAIL_URL names, and what goes wrong with them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.certificates import Authority
from tests.support.inviting import ask, connected, links
from tests.support.mailserver import MailServer, Security
from tests.support.sessions import signed_in

from .conftest import Run, check_refused

PASSWORD = "a quiet warm room"
OTHER = "another quiet room"
LOGIN = ("ana@example.org", "p:w/ %")
LOGIN_IN_URL = "ana%40example.org:p%3Aw%2F%20%25"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["starttls", "tls"])
def secure(request: pytest.FixtureRequest, authority: Authority) -> Iterator[MailServer]:
    """It asks for a name and a password, and its certificate is from our own authority."""
    security: Security = request.param
    server = MailServer(security=security, certificate=authority.server(), login=LOGIN).start()
    yield server
    server.stop()


def test_a_mail_goes_encrypted_to_whom_we_trust(
    run: Run, secure: MailServer, authority: Authority
) -> None:
    env = {
        "TERTULIA_EMAIL_URL": secure.url(f"ca={authority.ca}", LOGIN_IN_URL),
        "TERTULIA_URL": "https://chat.example.com",
    }
    done = run("manage", "sendtestemail", "bea@example.org", **env)
    assert done.returncode == 0, done.stderr
    mail = secure.mail_to("bea@example.org")
    # Who signs in at the mail server sends; the greeting is the site's name.
    assert (mail.sender, mail.greeting) == ("ana@example.org", "chat.example.com")
    # The certificate of an authority that nobody has named is none.
    env["TERTULIA_EMAIL_URL"] = secure.url(login=LOGIN_IN_URL)
    done = run("manage", "sendtestemail", "bea@example.org", **env)
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert secure.mails == []


def test_a_wrong_password_is_said(run: Run, authority: Authority) -> None:
    server = MailServer(security="tls", certificate=authority.server(), login=LOGIN).start()
    try:
        url = server.url(f"ca={authority.ca}", "ana%40example.org:hush-hush")
        done = run("manage", "sendtestemail", "bea@example.org", TERTULIA_EMAIL_URL=url)
    finally:
        server.stop()
    assert "SMTPAuthenticationError" in done.stderr
    assert "hush-hush" not in done.stderr
    assert server.mails == []


def test_a_password_is_not_told_to_who_cannot_keep_it(run: Run) -> None:
    server = MailServer().start()
    try:
        url = f"smtp://ana:hush-hush@127.0.0.1:{server.port}"
        done = run("manage", "sendtestemail", "bea@example.org", TERTULIA_EMAIL_URL=url)
    finally:
        server.stop()
    assert "STARTTLS" in done.stderr
    assert server.mails == []


def test_an_authority_that_is_none_is_refused_at_the_start(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for path in (empty, tmp_path / "missing.pem"):
        url = f"smtps://127.0.0.1?ca={path}"
        check_refused(run("migrate", TERTULIA_EMAIL_URL=url), "TERTULIA_EMAIL_URL", str(path))


# A site where everybody may make an account


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(post: MailServer) -> Iterator[Server]:
    env = {"TERTULIA_SIGNUP": "open", "TERTULIA_EMAIL_URL": post.url("from=chat@example.org")}
    server = Server(env=env).start()
    yield server
    server.remove()


def sign_up(site: Server, name: str) -> Browser:
    browser = Browser(site.url)
    form = {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    browser.submit("/accounts/signup/", {**form, "email": f"{name}@example.org"})
    assert browser.signed_in
    return browser


async def test_an_invitation_to_a_room_leads_through_making_an_account(
    site: Server, post: MailServer
) -> None:
    olga = sign_up(site, "olga")
    async with await Client.connect(site.ws, cookie=olga.cookie, origin=olga.origin) as client:
        room = await client.create("Open house")
    headers = {"X-CSRFToken": olga.cookies["csrftoken"]}
    body = {"addresses": "nils@example.org"}
    path = f"/chat/-/rooms/{room}/invitations/mail/"
    assert olga.request("POST", path, json=body, headers=headers).status == 200
    mail = post.mail_to("nils@example.org")
    (path,) = re.findall(rf"{re.escape(site.url)}(\S+)", mail.text)
    nils = Browser(site.url)
    form = {"username": "nils", "password1": PASSWORD, "password2": PASSWORD}
    page = nils.submit(path, form, action="/accounts/signup/")
    assert "<bdi>olga</bdi> invites you" in page.text
    assert nils.submit(page.path, {}).path == f"/chat/{room}/"


async def test_a_forgotten_password_is_replaced_by_what_the_mail_brings(
    site: Server, post: MailServer
) -> None:
    ana = sign_up(site, "ana")
    client = await Client.connect(site.ws, cookie=ana.cookie, origin=ana.origin)
    Browser(site.url).submit("/accounts/reset/", {"email": "ana@example.org"})
    mail = post.mail_to("ana@example.org")
    assert mail.message["From"] == "Tertulia <chat@example.org>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["Message-ID"].endswith("@[127.0.0.1]>")
    assert socket.gethostname() not in mail.message.as_string()
    (path,) = re.findall(rf"{re.escape(site.url)}(/accounts/reset/\S+)", mail.text)
    form = {"new_password1": OTHER, "new_password2": OTHER}
    assert Browser(site.url).submit(path, form).path == "/accounts/login/"
    with pytest.raises(Closed) as closed:
        await client.expect("never")
    assert closed.value.code == 4401
    assert ana.get("/chat/", follow=False).status == 302
    assert Browser(site.url).sign_in("ana", OTHER).path == "/chat/"


def test_what_the_mail_server_refuses_is_in_the_log_without_the_address(
    site: Server, post: MailServer
) -> None:
    sign_up(site, "bea")
    post.answers = {"bea@example.org": "550 5.1.1 bea@example.org is not here"}
    offset = site.log.stat().st_size
    page = Browser(site.url).submit("/accounts/reset/", {"email": "bea@example.org"})
    assert page.status == 200
    while "550" not in site.tail(offset):
        assert site.status("/healthz") == 200
    log = site.tail(offset)
    assert "new password" in log
    assert "bea@" not in log
    assert "Traceback" not in log


async def test_without_a_mail_server_nothing_is_offered(embedded: Server) -> None:
    people = signed_in(embedded, PASSWORD, {"mail-less": {"is_staff": True}})
    browser = people["mail-less"]
    page = browser.get("/accounts/invite/")
    assert "No mail server is set" in page.text
    assert 'name="addresses"' not in page.text
    async with await connected(embedded, browser) as client:
        slug = await client.create("No mails")
    assert json.loads(ask(browser, links(slug)).body)["mail"] is None
    assert ask(browser, f"{links(slug)}mail/", {"addresses": "a@example.org"}).status == 403
