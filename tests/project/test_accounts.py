"""First run, signing up, in and out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser

PASSWORD = "a quiet warm room"
FORM = {"password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A new site, nobody in it."""
    server = Server().start()
    yield server
    server.remove()


def set_up_path(server: Server) -> str:
    """The path of the set-up link that the server printed last."""
    links = re.findall(re.escape(server.url) + r"(/\S*setup\S+)", server.tail())
    assert links, "no set-up link was printed"
    return str(links[-1])


def sign_up(browser: Browser, name: str, path: str = "/accounts/signup/") -> Answer:
    return browser.submit(path, {"username": name, **FORM})


def test_the_set_up_link_makes_the_first_administrator_once(fresh: Server) -> None:
    path = set_up_path(fresh)
    first = Browser(fresh.url)
    page = sign_up(first, "ana", path)
    assert page.status == 200
    assert page.path.startswith("/chat/")
    assert first.signed_in
    assert first.get("/admin/").status == 200
    second = Browser(fresh.url)
    assert second.get(path).status in (404, 410)
    fresh.restart()
    assert "setup" not in fresh.tail().rpartition("Tertulia is at")[2]


def test_a_spent_set_up_link_makes_nobody(fresh: Server) -> None:
    path = set_up_path(fresh)
    late = Browser(fresh.url)
    late.get(path)
    form = {"csrfmiddlewaretoken": late.cookies["csrftoken"], "username": "eve", **FORM}
    sign_up(Browser(fresh.url), "ana", path)
    assert late.request("POST", path, form=form).status in (404, 410)
    assert not late.signed_in
    code = (
        "from django.contrib.auth.models import User; print(*User.objects.values_list('username'))"
    )
    assert fresh.shell(code).strip().endswith("('ana',)")


def test_a_made_up_set_up_link_is_not_found(fresh: Server) -> None:
    path = set_up_path(fresh)
    assert Browser(fresh.url).get(path[:-8] + "AAAAAAA/").status == 404


def test_signing_up_is_by_invitation_unless_said_otherwise(fresh: Server) -> None:
    stranger = Browser(fresh.url)
    assert stranger.get("/accounts/signup/").status in (403, 404)
    stranger.get("/accounts/login/")
    form = {"csrfmiddlewaretoken": stranger.cookies["csrftoken"], "username": "eve", **FORM}
    assert stranger.request("POST", "/accounts/signup/", form=form).status in (403, 404)
    assert not stranger.signed_in


def test_the_keyboard_comes_to_what_is_to_be_mended(fresh: Server) -> None:
    admin = Browser(fresh.url)
    path = set_up_path(fresh)
    admin.get(path)
    page = admin.submit(path, {"username": "ana", "password1": "1234", "password2": "1234"})
    focused = re.findall(r"<input[^>]*autofocus[^>]*>", page.text)
    assert len(focused) == 1
    assert 'name="password' in focused[0]


def test_an_invitation_admits_as_many_as_it_says(fresh: Server) -> None:
    admin = Browser(fresh.url)
    sign_up(admin, "ana", set_up_path(fresh))
    page = admin.submit("/accounts/invite/", {"uses": "1"})
    link = re.search(r"(/accounts/signup/\?invite=[\w-]+)", page.text)
    assert link
    guest = Browser(fresh.url)
    assert "<bdi>ana</bdi> invites you" in guest.get(link.group(1)).text
    sign_up(guest, "bea", link.group(1))
    assert guest.signed_in
    late = Browser(fresh.url)
    assert late.get(link.group(1)).status in (403, 404, 410)


def test_closed_is_closed() -> None:
    server = Server(env={"TERTULIA_SIGNUP": "closed"}).start()
    try:
        assert Browser(server.url).get("/accounts/signup/").status in (403, 404)
    finally:
        server.remove()


async def test_signing_up_where_it_is_open_signs_in_and_talks(embedded: Server) -> None:
    browser = Browser(embedded.url)
    page = sign_up(browser, "newcomer")
    assert page.path == "/chat/"
    assert browser.signed_in
    async with await Client.connect(
        embedded.ws, cookie=browser.cookie, origin=browser.origin
    ) as client:
        assert client.name == "newcomer"


def test_who_makes_an_account_arrives_where_he_was_going(embedded: Server) -> None:
    browser = Browser(embedded.url)
    page = browser.get("/chat/-/settings/")
    assert page.path.startswith("/accounts/login/")
    offered = re.search(r'href="(/accounts/signup/[^"]*)"', page.text)
    assert offered, page.text
    assert sign_up(browser, "arrives", unescape(offered[1])).path == "/chat/-/settings/"


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_signing_up_leads_to_no_other_site(embedded: Server, target: str) -> None:
    path = f"/accounts/signup/?next={quote(target, safe='')}"
    name = f"stays{abs(hash(target)) % 10_000}"
    page = sign_up(Browser(embedded.url), name, path)
    assert page.path == "/chat/"


@pytest.mark.parametrize(
    "fields",
    [
        {"username": ""},
        {"username": "a b"},
        {"username": "x", "password2": "another quiet room"},
        {"username": "x", "password1": "12345678", "password2": "12345678"},
    ],
    ids=["no name", "a space", "two passwords", "a weak password"],
)
def test_a_form_that_will_not_do_is_shown_again(embedded: Server, fields: dict[str, str]) -> None:
    browser = Browser(embedded.url)
    page = browser.submit("/accounts/signup/", {**FORM, **fields})
    assert page.status == 200
    assert not browser.signed_in
    assert "<form" in page.text


def test_signing_in_and_out(embedded: Server) -> None:
    embedded.createuser("inandout", password=PASSWORD)
    browser = Browser(embedded.url)
    assert not browser.sign_in("inandout", "wrong wrong wrong").path.startswith("/chat")
    assert not browser.signed_in
    assert browser.sign_in("inandout", PASSWORD).path == "/chat/"
    assert browser.signed_in
    assert browser.get("/accounts/logout/").status == 405
    browser.submit("/chat/", {}, action="/accounts/logout/")
    assert not browser.signed_in
    assert browser.get("/chat/").path.startswith("/accounts/login/")


def test_known_and_unknown_names_are_refused_alike(embedded: Server) -> None:
    embedded.createuser("isknown", password=PASSWORD)
    pages = []
    for name in ("isknown", "isnotknown"):
        page = Browser(embedded.url).sign_in(name, "wrong wrong wrong")
        text = re.sub(r'value="[^"]*"|nonce="[^"]*"', "", page.text)
        pages.append((page.status, text.replace(name, "NAME")))
    assert pages[0] == pages[1]


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(embedded: Server, target: str) -> None:
    name = f"staysHere{abs(hash(target)) % 10_000}"
    embedded.createuser(name, password=PASSWORD)
    browser = Browser(embedded.url)
    browser.get("/accounts/login/")
    form = {
        "csrfmiddlewaretoken": browser.cookies["csrftoken"], "username": name,
        "password": PASSWORD, "next": target,
    }  # fmt: skip
    answer = browser.request("POST", "/accounts/login/", form=form, follow=False)
    assert answer.status == 302
    assert "evil" not in answer.headers["location"]


def test_forms_need_their_csrf_token(embedded: Server) -> None:
    embedded.createuser("csrfless", password=PASSWORD)
    browser = Browser(embedded.url)
    form = {"username": "csrfless", "password": PASSWORD}
    assert browser.request("POST", "/accounts/login/", form=form).status == 403
    assert not browser.signed_in


def test_guessing_passwords_is_slowed_down(fresh: Server) -> None:
    fresh.createuser("target", password=PASSWORD)
    statuses = set()
    for _ in range(15):
        statuses.add(Browser(fresh.url).sign_in("target", "wrong wrong wrong").status)
        if 429 in statuses:
            break
    assert 429 in statuses
