"""A forgotten password, the mail with the link, and the settings of the mail server."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from pathlib import Path

import pytest

from tertulia.testing.client import Client, Closed
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser

from .conftest import Run, check_refused

PASSWORD = "a quiet warm room"
OTHER = "another quiet room"
RESET = "/accounts/reset/"
LINK = re.compile(r"http://[^/\s]+(/accounts/reset/\S+)")


@pytest.fixture(scope="module")
def posting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A site whose mails are files in a folder."""
    folder = tmp_path_factory.mktemp("mails")
    env = {
        "TERTULIA_SIGNUP": "open", "TERTULIA_LIMITS": "off",
        "TERTULIA_EMAIL_URL": f"file://{folder}?from=chat@example.org",
    }  # fmt: skip
    server = Server(env=env).start()
    yield server, folder
    server.remove()


def sign_up(server: Server, name: str, mail: str = "") -> Browser:
    browser = Browser(server.url)
    form = {"username": name, "password1": PASSWORD, "password2": PASSWORD, "email": mail}
    browser.submit("/accounts/signup/", form)
    assert browser.signed_in
    return browser


def ask(server: Server, mail: str, **how: str) -> Answer:
    """Fill in the form for the link."""
    return Browser(server.url).submit(RESET, {"email": mail, **how})


def mail_to(folder: Path, address: str, seconds: float = 20) -> str:
    """The mail to this address, which is written behind the answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for file in folder.iterdir():
            text = file.read_text()
            if f"To: {address}" in text and text.rstrip().endswith("-" * 79):
                file.unlink()
                return plain(text)
        time.sleep(0.05)
    raise AssertionError(f"no mail to {address}")


def plain(text: str) -> str:
    """A mail as its reader sees it: how it was encoded for the way differs between Djangos."""
    mail = message_from_string(text, policy=default)
    headers = "".join(f"{name}: {value}\n" for name, value in mail.items())
    return f"{headers}\n{mail.get_content()}"


def link_in(text: str) -> str:
    found = LINK.search(text)
    assert found, text
    return found[1]


async def test_a_forgotten_password_is_replaced(posting: tuple[Server, Path]) -> None:
    server, folder = posting
    ana = sign_up(server, "ana", "ana@example.org")
    client = await Client.connect(server.ws, cookie=ana.cookie, origin=ana.origin)
    page = ask(server, "Ana@example.org")
    assert page.status == 200
    mail = mail_to(folder, "ana@example.org")
    assert "From: Tertulia <chat@example.org>" in mail
    assert mail.count(server.url) == 1
    path = link_in(mail)
    form = {"new_password1": OTHER, "new_password2": OTHER}
    browser = Browser(server.url)
    shown = browser.get(path)
    assert link_in(mail).split("/")[-2] not in shown.path
    assert browser.submit(path, form).path == "/accounts/login/"
    with pytest.raises(Closed) as closed:
        await client.expect("never")
    assert closed.value.code == 4401
    assert not Browser(server.url).sign_in("ana", PASSWORD).path.startswith("/chat")
    assert Browser(server.url).sign_in("ana", OTHER).path == "/chat/"
    again = Browser(server.url).get(path)
    assert "new_password1" not in again.text


def test_known_and_unknown_addresses_get_the_same_answer(posting: tuple[Server, Path]) -> None:
    server, folder = posting
    sign_up(server, "bea", "bea@example.org")
    pages = []
    for address in ("bea@example.org", "nobody@example.org"):
        page = ask(server, address)
        text = re.sub(r'nonce="[^"]*"', "", page.text).replace(address, "ADDRESS")
        pages.append((page.status, page.path, text))
    assert pages[0] == pages[1]
    mail_to(folder, "bea@example.org")
    assert not any("nobody@" in file.read_text() for file in folder.iterdir())


def test_a_mail_server_that_hangs_keeps_nobody_waiting() -> None:
    # It takes connections by the backlog, and never says a word.
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"smtp://127.0.0.1:{mute.getsockname()[1]}?tls=off"
        server = Server(env={"TERTULIA_SIGNUP": "open", "TERTULIA_EMAIL_URL": url}).start()
        try:
            sign_up(server, "ana", "ana@example.org")
            # Each would wait ten seconds for the mail server.
            for _ in range(2):
                assert ask(server, "ana@example.org").status == 200
            assert server.status("/healthz") == 200
            mute.settimeout(20)
            mute.accept()[0].close()
        finally:
            server.remove()


def test_the_mail_is_in_the_language_of_the_person(posting: tuple[Server, Path]) -> None:
    server, folder = posting
    carla = sign_up(server, "carla", "carla@example.org")
    carla.submit("/chat/", {"language": "es"}, action="/chat/-/language/")
    ask(server, "carla@example.org")
    mail = mail_to(folder, "carla@example.org")
    assert "Hola, carla" in mail
    link_in(mail)


def test_a_made_up_host_gets_into_no_mail(posting: tuple[Server, Path]) -> None:
    server, _ = posting
    answer = Browser(server.url).get(RESET, headers={"Host": "evil.example"})
    assert answer.status == 400


def test_asking_again_and_again_is_slowed_down() -> None:
    server = Server().start()
    try:
        statuses = [ask(server, "ana@example.org").status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert ask(server, "bea@example.org").status == 200
        # One network address, whatever addresses it asks for.
        statuses = [ask(server, f"{number}@example.org").status for number in range(10)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
    finally:
        server.remove()


def test_without_a_mail_server_the_log_has_the_mail() -> None:
    server = Server(env={"TERTULIA_SIGNUP": "open"}).start()
    try:
        assert "TERTULIA_EMAIL_URL" in server.tail()
        sign_up(server, "ana", "ana@example.org")
        page = ask(server, "ana@example.org")
        assert "EMAIL_URL" not in page.text
        deadline = time.monotonic() + 20
        while not LINK.search(server.tail()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert Browser(server.url).get(link_in(server.tail())).status == 200
    finally:
        server.remove()


def test_changing_the_address_needs_the_password(posting: tuple[Server, Path]) -> None:
    server, folder = posting
    dora = sign_up(server, "dora", "dora@example.org")
    form = {"email": "eve@example.org", "password": "wrong wrong wrong"}
    assert 'id="id_password_error"' in dora.submit("/accounts/email/", form).text
    ask(server, "eve@example.org")
    ask(server, "dora@example.org")
    assert "dora" in mail_to(folder, "dora@example.org")
    assert not any("eve@" in file.read_text() for file in folder.iterdir())
    page = dora.submit("/accounts/email/", {**form, "password": PASSWORD})
    assert page.path.startswith("/chat/-/settings/")
    assert "eve@example.org" in page.text


def test_the_address_is_no_duty(posting: tuple[Server, Path]) -> None:
    server, _ = posting
    assert "none" in sign_up(server, "emil").get("/chat/-/settings/").text


@pytest.mark.parametrize(
    "url",
    [
        *("example.org", "http://example.org", "smtp://", "smtp://host:99999", "smtp://host/path"),
        *("smtp://host?tls=maybe", "smtp://host?color=red", "smtp://host?from=nobody", "file:"),
        *("smtp://host?from=a@b%0aBcc:c@d", "console:there", "smtps://host?tls=on"),
        *("smtp://ana:%C3%B1@host", "console:?ca=/etc/ca.pem"),
    ],
)
def test_a_mail_server_that_cannot_be(run: Run, url: str) -> None:
    secret = url.replace("://", "://user:hush-hush@", 1)
    check_refused(run("migrate", TERTULIA_EMAIL_URL=url), "TERTULIA_EMAIL_URL")
    done = run("migrate", TERTULIA_EMAIL_URL=secret)
    assert done.returncode == 2
    assert "hush-hush" not in done.stderr


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://ana%40b.org:p%2fw@mail", "mail 587 ana@b.org p/w True False ana@b.org"),
        ("smtps://user:pw@mail", "mail 465 user pw False True tertulia@chat.example.org"),
        ("smtp://mail?tls=off&from=a@b.org", "mail 25   False False a@b.org"),
    ],
)  # fmt: skip
def test_a_mail_server(run: Run, url: str, expected: str) -> None:
    code = (
        "from django.conf import settings; from email.utils import parseaddr; "
        "from django.core.mail import get_connection; s = get_connection(); "
        "print(s.host, s.port, s.username, s.password, s.use_tls, s.use_ssl,"
        " parseaddr(settings.DEFAULT_FROM_EMAIL)[1])"
    )
    env = {"TERTULIA_EMAIL_URL": url, "TERTULIA_URL": "https://chat.example.org"}
    done = run("manage", "shell", "-v0", "-c", code, **env)
    assert done.stdout.strip() == expected, done.stderr
