"""How often an address may ask for a new visitor; a server with its limits on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tertulia.testing.server import Server
from tests.support.desk import Inbox

from .conftest import SITE, Asking


@pytest.fixture(scope="module")
def limited() -> Iterator[Inbox]:
    server = Server().start()
    yield Inbox(server, "Limited", sites=[SITE])
    server.remove()


def test_new_visitors_of_an_address_are_bounded_and_known_ones_are_not(limited: Inbox) -> None:
    crowd = Asking(limited, peer="127.0.0.2")
    known = crowd.introduced()
    statuses = [crowd.post("visitor/", {}).status for _ in range(70)]
    assert statuses[:50] == [200] * 50
    answer = crowd.post("visitor/", {})
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-allow-origin"] == SITE
    # The page of the site may read how long it is to wait.
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert crowd.introduced(token=known["token"])["me"] == known["me"]
    assert Asking(limited, peer="127.0.0.3").post("visitor/", {}).status == 200


def test_a_visitor_may_not_ask_without_end_whether_there_is_an_answer(limited: Inbox) -> None:
    shop = Asking(limited, peer="127.0.0.4")
    token = shop.introduced()["token"]
    statuses = [shop.post("unread/", token).status for _ in range(60)]
    assert statuses[:25] == [200] * 25
    assert statuses[-1] == 429


def test_nor_leave_one_address_after_the_other(limited: Inbox) -> None:
    shop = Asking(limited, peer="127.0.0.5")
    token = shop.introduced()["token"]
    fields = {"token": token, "email": "a@b.example"}
    statuses = [shop.post("address/", fields).status for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
