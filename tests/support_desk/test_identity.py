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
from tertulia.testing.client import Client

from .desk import Desk

INBOX = Inbox(name="Shop", secret="5" * 64)
ANA = {"id": "7", "name": "Ana", "email": "ana@example.org"}


def signed(claims: Any, secret: str = INBOX.secret) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{body}.{hmac.digest(secret.encode(), body.encode(), 'sha256').hex()}"


def soon(seconds: int = 12 * 3600) -> int:
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
token = visitor_token(claimed)
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


async def refused(desk: Desk) -> bool:
    """Whether the first visitor's token speaks for nobody."""
    client = await Client.connect(desk.installation.here.ws, welcome=False)
    await client.send({"type": "auth", "token": desk.tokens[0]})
    return (await client.closing()).code == 4401


CLAIM = """
from tertulia.support.visitors import *
visitor = visitor_of({token!r}, inbox)
ana = visitor_for_identity(inbox, SignedIdentity("7", "Ana", ""), present=visitor)
print(visitor_token(ana))
"""


async def test_the_token_that_he_had_as_a_stranger_does_not_speak_for_him(
    everywhere: Desk,
) -> None:
    desk = everywhere
    # Somebody had this computer before Ana, and has kept its token.
    mallory = await desk.visitor(there=True)
    room = await desk.conversation(mallory, "hello")
    token = desk.shell(CLAIM.format(token=desk.tokens[0])).split()[-1]
    assert (await mallory.closing()).code == 4401
    assert await refused(desk)
    desk.tokens[0] = token
    ana = await desk.visitor()
    assert ana.id == mallory.id
    assert await desk.conversation(ana) == room


async def test_a_new_secret_ends_what_came_of_the_old_one(desk: Desk) -> None:
    desk.tokens[0] = desk.shell(CLAIM.format(token=desk.tokens[0])).split()[-1]
    signed, stranger = await desk.visitor(), await desk.visitor(1)
    desk.shell(
        "from tertulia.support.visitors import end_tokens\n"
        "end_tokens(Visitor.objects.filter(inbox=inbox, external_id__isnull=False))"
    )
    assert (await signed.closing()).code == 4401
    assert await refused(desk)
    await stranger.cmd("ping")


LONG_AGO = """
from datetime import timedelta
from django.utils import timezone
Visitor.objects.filter(inbox=inbox).update(seen_at=timezone.now() - timedelta(days=3))
"""
NEARLY_OVER = """
import time
from tertulia.support.visitors import *
present = time.time
time.time = lambda: present() - 24 * 3600 + 5
print(visitor_token(visitor_for_identity(inbox, SignedIdentity("9", "", ""))))
"""


async def test_a_stranger_who_has_listened_for_days_does_not_become_him(everywhere: Desk) -> None:
    desk = everywhere
    mallory = await desk.visitor(there=True)
    desk.shell(LONG_AGO)
    desk.shell(CLAIM.format(token=desk.tokens[0]))
    assert (await mallory.closing()).code == 4401


async def test_sockets_end_with_what_they_were_opened_by(everywhere: Desk) -> None:
    """A new secret, of whom nobody has seen for long; and the day for which a site's word holds."""
    desk = everywhere
    desk.tokens[0] = desk.shell(CLAIM.format(token=desk.tokens[0])).split()[-1]
    desk.tokens[1] = desk.shell(NEARLY_OVER).split()[-1]
    customer, over, stranger = [await desk.visitor(n, there=bool(n % 2)) for n in range(3)]
    # What a new secret does to many of whom none was seen lately.
    desk.shell(
        f"{LONG_AGO}Visitor.objects.filter(inbox=inbox, external_id='7').update(generation=7)"
    )
    assert (await customer.closing(40)).code == 4401
    assert (await over.closing(40)).code == 4401
    await stranger.cmd("ping")


async def test_nobody_but_his_site_makes_a_customers_token_last_longer(desk: Desk) -> None:
    signed = desk.shell(CLAIM.format(token=desk.tokens[0])).split()[-1]
    desk.tokens[0] = signed
    assert "visitor_token" not in (await desk.visitor()).welcome
    assert "visitor_token" in (await desk.visitor(1)).welcome
