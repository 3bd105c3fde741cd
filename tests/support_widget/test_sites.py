"""Who may show an inbox's widget, and who may ask: its sites, by scheme, host and port."""

from __future__ import annotations

import json
import re

import pytest

from tertulia.testing.server import Server
from tests.support.browser import Browser
from tests.support.desk import Inbox

from .conftest import SITE, Asking

FOREIGN = (
    "http://shop.example",
    "https://shop.example:444",
    "http://shop.example:82",
    "https://www.shop.example",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "null",
)
PATHS = ("settings/", "visitor/", "unread/", "address/")


def ask(shop: Asking, path: str, origin: str) -> tuple[int, dict[str, str]]:
    if path == "settings/":
        answer = shop.get(path, origin)
    else:
        answer = shop.post(path, {"token": "none", "email": "a@b.example"}, origin)
    return answer.status, answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_its_sites_and_its_own_page_may_ask(shop: Asking, path: str) -> None:
    for origin in (SITE, "http://shop.example:81", "https://shop.example:443", shop.browser.origin):
        status, headers = ask(shop, path, origin)
        # There is no such visitor, whose address it would be.
        assert status == (401 if path == "address/" else 200), origin
        assert headers["access-control-allow-origin"] == origin
        assert "origin" in headers["vary"].lower()
        assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", FOREIGN)
def test_others_may_not(shop: Asking, path: str, origin: str) -> None:
    status, headers = ask(shop, path, origin)
    assert status == 403
    # The loader there may read that it is not wanted; there is nothing else in it.
    assert headers["access-control-allow-origin"] == "*"


def test_an_inbox_that_is_not_there(embedded: Server) -> None:
    browser = Browser(embedded.url)
    for path in ("", "settings/", "picture/abc.webp"):
        assert browser.get(f"/support/{'0' * 32}/{path}", headers={"Origin": SITE}).status == 404
    for path in PATHS[1:]:
        answer = browser.request("POST", f"/support/{'0' * 32}/{path}", json={})
        assert answer.status == 404


def test_its_page_is_framed_by_its_sites_only(shop: Asking) -> None:
    answer = shop.get(origin=None)
    policy = answer.headers["content-security-policy"]
    assert f"frame-ancestors {SITE} http://shop.example:81" in policy
    assert "x-frame-options" not in answer.headers
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    (nonce,) = re.findall(r"'nonce-([\w-]+)'", policy)
    assert f'nonce="{nonce}"' in answer.text
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "site", ["https://a.example; script-src *", "*", "https://*.example", "javascript:x", "'self'"]
)
def test_what_is_no_site_is_in_no_header(embedded: Server, site: str) -> None:
    inbox = Inbox(embedded, "Edited by hand", sites=[SITE])
    inbox.change(sites=[site])
    policy = Asking(inbox).get(origin=None).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'none'")
    assert Asking(inbox).get("settings/", "https://a.example").status == 403


def test_without_sites_nobody_frames_it(embedded: Server) -> None:
    shop = Asking(Inbox(embedded, "Of nobody"))
    assert "frame-ancestors 'none'" in shop.get(origin=None).headers["content-security-policy"]
    assert shop.get("settings/").status == 403


def test_the_page_is_the_same_to_who_is_signed_in(shop: Asking, embedded: Server) -> None:
    embedded.createuser("signed-in-at-the-chat", password="a quiet warm room")
    shop.browser.sign_in("signed-in-at-the-chat", "a quiet warm room")
    assert shop.browser.signed_in
    answer = shop.get(origin=None)
    assert "signed-in-at-the-chat" not in answer.text
    assert shop.introduced()["me"]["name"] != "signed-in-at-the-chat"


def test_the_other_pages_are_framed_by_nobody(embedded: Server) -> None:
    answer = Browser(embedded.url).get("/accounts/login/")
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_colour_comes_with_what_is_seen_on_it(shop: Asking, inbox: Inbox) -> None:
    assert json.loads(shop.get("settings/").body) == {
        "colour": "#f2c230",
        "ink": "#16130f",
        "here": False,
        "opens": None,
    }


@pytest.mark.parametrize("language", ["en", "es", "xx", "<script>", ""])
def test_the_page_speaks_english_or_spanish(shop: Asking, language: str) -> None:
    answer = shop.browser.get(f"{shop.inbox.path}?lang={language}&theme={language}")
    assert answer.headers["content-language"] == ("es" if language == "es" else "en")
    assert "<script>" not in answer.text.partition("<body")[0].replace('<script type="', "")
    assert "data-theme" not in answer.text
