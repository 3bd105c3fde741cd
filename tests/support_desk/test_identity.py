"""Who a visitor is by what his site has signed: the same on every device, and nobody else."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest

from tertulia.support.models import Inbox
from tertulia.support.visitors import BadIdentity, signed_identity

from .desk import Desk

INBOX = Inbox(name="Shop", secret="5" * 64)
ANA = {"id": "7", "name": "Ana", "email": "ana@example.org"}


def signed(claims: Any, secret: str = INBOX.secret) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{body}.{hmac.digest(secret.encode(), body.encode(), 'sha256').hex()}"


def soon(seconds: int = 600) -> int:
    return int(time.time()) + seconds


def test_what_the_site_has_signed_is_believed() -> None:
    assert signed_identity(INBOX, signed({**ANA, "expires": soon()})) == ("7", "Ana", ANA["email"])
    assert signed_identity(INBOX, signed({"id": 7, "expires": soon()})) == ("7", "", "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (signed({**ANA, "expires": soon()}, "6" * 64), "signature"),
        (signed({**ANA, "expires": soon()})[:-1] + "z", "signature"),
        ("x" + signed({**ANA, "expires": soon()}), "signature"),
        (signed({**ANA, "expires": soon()}).partition(".")[0], "signature"),
        ("", "signature"),
        ("ñ.ñ", "malformed"),
        ("x" * 5_000, "malformed"),
        (signed({**ANA, "expires": soon(-1)}), "expired"),
        (signed({**ANA, "expires": soon(30 * 3600)}), "expired"),
        (signed({**ANA, "expires": 10**400}), "expired"),
        (signed(ANA), "malformed"),
        (signed({"id": "", "expires": soon()}), "malformed"),
        (signed({"id": "x" * 201, "expires": soon()}), "malformed"),
        (signed({"id": "a\x00b", "expires": soon()}), "malformed"),
        (signed({"id": ["7"], "expires": soon()}), "malformed"),
        (signed([1, 2]), "malformed"),
    ],
)
def test_anything_else_is_not(text: str, code: str) -> None:
    with pytest.raises(BadIdentity) as refused:
        signed_identity(INBOX, text)
    assert refused.value.code == code


WHO = """
from tertulia.support.visitors import *
ana = SignedIdentity("7", "Ana", "ana@example.org")
first, second = new_visitor(inbox), new_visitor(inbox)
claimed = visitor_for_identity(inbox, ana, present=first)
print(claimed.pk == first.pk, claimed.participant.name, claimed.email)
print(visitor_for_identity(inbox, ana, present=second).pk == first.pk)
print(visitor_for_identity(inbox, SignedIdentity("8", "Bea", ""), present=claimed).pk != first.pk)
print(visitor_for_identity(other, ana).pk != first.pk)
print(visitor_for_identity(other, ana, present=second).inbox == other)
token = visitor_token(first)
print(visitor_of(token, inbox).pk == first.pk, visitor_of(token, other))
print(new_visitor(inbox, name="\\u202eanA", email="no address").participant.name[:8])
print(Participant.objects.filter(kind="visitor", name_fold="ana").count())
"""


async def test_he_is_the_same_on_every_device(desk: Desk) -> None:
    lines = desk.shell(WHO).strip().splitlines()[-8:]
    assert lines == [
        "True Ana ana@example.org",
        "True",
        "True",
        "True",
        "True",
        "True None",
        "visitor-",
        "0",
    ]
