"""Statement 17: guessing is slowed down, and a name that is known takes no other answer and work.

Work is counted in password hashes and in statements of the database: times would say nothing on a
busy machine. That sign-ins, resets and links are throttled with the product's own rates is tried
in `tests/project` and `tests/chat/test_page_rates.py`; here the ways around them.
"""

from __future__ import annotations

import json
from pathlib import Path

from tertulia.testing.server import Server

from .small.small_limits import SIGN_INS_A_NAME, SIGN_INS_AN_ADDRESS
from .web import Visitor

PASSWORD = "a quiet warm room"
WORK = Path(__file__).with_name("work.py")


def guess(
    server: Server, name: str, password: str = "wrong", source: str = "127.0.0.2", **headers: str
) -> int:
    """The status of one attempt, by somebody without any cookie from before."""
    with Visitor(server, source=source, **headers) as visitor:
        form = {"username": name, "password": password}
        return visitor.ask("POST", "/accounts/login/", form=form).status


def test_one_name_in_many_spellings_is_one_name(small: Server) -> None:
    """Case, width, and the white space that the form takes away."""
    small.createuser("target", password=PASSWORD)
    spellings = ["target", "TARGET", "Ｔａｒｇｅｔ", "tarGet", " target ", "target\u3000"]
    statuses = [guess(small, name) for name in spellings]
    assert statuses == [200] * SIGN_INS_A_NAME + [429] * (len(spellings) - SIGN_INS_A_NAME)
    # Not even the right one now; and nobody else is kept waiting.
    assert guess(small, "target", PASSWORD) == 429
    assert guess(small, "another") == 200
    # From nowhere.
    assert guess(small, "target", PASSWORD, source="127.0.0.3") == 429


def test_many_names_from_one_address_are_one_address(small: Server) -> None:
    """Whatever it says of itself; and a right password in between renews nothing."""
    small.createuser("insider", password=PASSWORD)
    source = "127.0.0.4"

    def from_there(name: str, number: int, password: str = "wrong") -> int:
        told = {"X-Forwarded-For": f"203.0.113.{number}"}
        return guess(small, name, password, source, **told)

    statuses = []
    for number in range(SIGN_INS_AN_ADDRESS):
        statuses.append(from_there(f"name{number}", number))
        if number == SIGN_INS_AN_ADDRESS - 2:
            assert from_there("insider", number, PASSWORD) == 302
    assert set(statuses) == {200}
    assert from_there("one-more", 250) == 429
    assert from_there("insider", 251, PASSWORD) == 429


def test_known_and_unknown_names_take_the_same_work(embedded: Server) -> None:
    """Of a sign-in: an account, none, one without a password, one that was closed, a guest's name.

    Of a forgotten password: an address that somebody has, and one that nobody has.
    """
    done = embedded.shell(WORK.read_text())
    # The mail of the reset is printed there too, sooner or later.
    work = json.loads(next(line for line in done.splitlines() if line.startswith('{"sign in"')))
    for kind in ("sign in", "reset"):
        found = work[kind]
        assert len(found) >= 2, found
        assert len({json.dumps(each) for each in found.values()}) == 1, found
    assert work["sign in"]["known"]["hashes"] == 1
