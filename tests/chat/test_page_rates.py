"""Rates of what people do through pages, which are on unless TERTULIA_LIMITS=off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser

PASSWORD = "a quiet warm room"
SETTINGS = "/chat/-/settings/"


@pytest.fixture(scope="module")
def limited() -> Iterator[Server]:
    server = Server(env={"TERTULIA_SIGNUP": "open"}).start()
    yield server
    server.remove()


def sign_up(server: Server, name: str) -> Browser:
    browser = Browser(server.url)
    form = {"username": name, "password1": PASSWORD, "password2": PASSWORD}
    browser.submit("/accounts/signup/", form)
    assert browser.signed_in
    return browser


def post(browser: Browser, path: str, **how: object) -> Answer:
    headers = {"X-CSRFToken": browser.cookies["csrftoken"]}
    return browser.request("POST", path, headers=headers, follow=False, **how)  # type: ignore[arg-type]


def until_refused(browser: Browser, path: str, most: int, **how: object) -> Answer:
    """Post until that is too much; the answer that says so."""
    for _ in range(most):
        answer = post(browser, path, **how)
        if answer.status == 429:
            return answer
    raise AssertionError(f"{most} in a row, and none was refused")


async def test_making_and_following_links(limited: Server) -> None:
    ana, bea = sign_up(limited, "ana"), sign_up(limited, "bea")
    async with await Client.connect(limited.ws, cookie=ana.cookie, origin=ana.origin) as client:
        room = await client.create("Salón", "private")
        path = f"/chat/-/rooms/{room}/invitations/"
        made = json.loads(post(ana, path).body)
        refused = until_refused(ana, path, 30)
        assert json.loads(refused.body)["error"]["code"] == "rate_limited"
        assert 0 < int(refused.headers["retry-after"]) <= 30
        refused = until_refused(bea, "/chat/-/invitation/no-such-link/", 40)
        assert "Try again in a moment" in refused.text
        # What is too fast for her is not too fast for another.
        cleo = sign_up(limited, "cleo")
        assert post(cleo, urlsplit(made["link"]).path).status == 302


def test_changing_a_profile(limited: Server) -> None:
    dina, emma = sign_up(limited, "dina"), sign_up(limited, "emma")
    form = {"name": "dina", "language": "", "time_zone": ""}
    refused = until_refused(dina, SETTINGS, 40, form=form)
    assert 0 < int(refused.headers["retry-after"]) <= 10
    assert post(dina, f"{SETTINGS}picture/", form={"remove": "1"}).status == 429
    assert post(emma, SETTINGS, form={**form, "name": "emma"}).status == 302


def test_guests_are_counted_together() -> None:
    """Whoever forgets his cookies is another guest each time."""
    server = Server(open=True).start()
    try:
        answers = []
        for number in range(40):
            guest = Browser(server.url)
            form = {"name": f"visitor {number}", "language": "", "time_zone": ""}
            answers.append(guest.submit(SETTINGS, form).status)
        assert answers[0] == 200
        assert answers[-1] == 429
    finally:
        server.remove()
