"""Who visitors are: their tokens, and what a site signs about them.

A visitor token is signed here and kept nowhere: it names the visitor, his inbox and a generation.
With it he is the same on this device; with an identity that the site has signed, on every device.
Whoever becomes somebody at the site is of another generation from then on: who knew the token that
he had as a stranger does not become him, too.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

import msgspec
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from tertulia.chat.changes import tell_change
from tertulia.chat.models import AccessChange, Participant
from tertulia.chat.profile.names import clean_name

from .mailing.arming import has_address
from .models import Inbox, Visitor

_SALT = "tertulia.visitor"
# From when it was made or renewed; that of somebody whom the site has signed, who can sign anew.
TOKEN_SECONDS = 365 * 24 * 3600
SIGNED_SECONDS = 24 * 3600
# How far ahead a signed identity may expire, and by how much the site's clock may be ahead.
IDENTITY_SECONDS = 24 * 3600
CLOCK_SECONDS = 300
# Code points of a signed identity, at most.
IDENTITY_LENGTH = 4_096


class ShownToken(NamedTuple):
    """What a token tells: public ids of the visitor's person and of his inbox; its generation, and
    whether the site had signed who he is. Nobody but the site makes such a token last longer."""

    visitor: str
    inbox: str
    generation: int
    signed: bool


class SignedIdentity(NamedTuple):
    """Who a visitor is, as the site says. `name` and `email` may be empty."""

    id: str
    name: str
    email: str


class BadIdentity(Exception):
    """The signed identity is not good. `code`: `malformed`, `signature` or `expired`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class _Claims(msgspec.Struct):
    id: str | int
    expires: int
    name: str | None = None
    email: str | None = None


def new_visitor(
    inbox: Inbox,
    *,
    name: str = "",
    email: str = "",
    language: str = "",
    time_zone: str = "",
) -> Visitor:
    """A visitor of an inbox. What cannot be used as a name or address is left away."""
    with transaction.atomic():
        participant = Participant.objects.create(
            kind=Participant.Kind.VISITOR,
            name=_usable_name(name) or f"visitor-{secrets.token_hex(3)}",
        )
        return Visitor.objects.create(
            participant=participant,
            inbox=inbox,
            email=_usable_email(email),
            language=language[:10],
            time_zone=time_zone[:60],
        )


def _usable_name(name: str) -> str:
    try:
        return clean_name(name)
    except ValidationError:
        return ""


def _usable_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email if len(email) <= 254 else ""


# Tokens


def visitor_token(visitor: Visitor) -> str:
    """What he brings back to be the same visitor again."""
    return signed_token(
        ShownToken(
            visitor.participant.public_id,
            visitor.inbox.public_id,
            visitor.generation,
            visitor.external_id is not None,
        )
    )


def signed_token(told: ShownToken) -> str:
    """A token that tells this, as of now."""
    return signing.dumps(list(told), salt=_SALT)


def visitor_in_token(token: str) -> ShownToken | None:
    """What a visitor token tells, without asking the database; None: it is none of ours, or too
    old."""
    # A bearer token has no colon, and is spared the work.
    if ":" not in token or len(token) > 1_024:
        return None
    try:
        told = ShownToken(*signing.loads(token, salt=_SALT, max_age=TOKEN_SECONDS))
    except signing.BadSignature:
        return None
    if told.signed and good_until(token) <= time.time():
        return None
    return told


def good_until(token: str) -> int:
    """When a token of somebody whom the site has signed ends, in seconds since 1970."""
    _data, made_at, _signature = token.rsplit(":", 2)
    return signing.b62_decode(made_at) + SIGNED_SECONDS


def visitor_of(token: str, inbox: Inbox) -> Visitor | None:
    """The visitor whom a token speaks for, if he is one of this inbox."""
    told = visitor_in_token(token)
    if told is None or told.inbox != inbox.public_id:
        return None
    found = Visitor.objects.select_related("participant", "inbox")
    his = found.filter(inbox=inbox, participant__public_id=told.visitor)
    return his.filter(generation=told.generation).first()


def speaking(shown: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Those of these visitors, by public id and generation, who are that still."""
    asked = set(shown)
    found = Visitor.objects.filter(participant__public_id__in={visitor for visitor, _ in asked})
    return asked.intersection(found.values_list("participant__public_id", "generation"))


def end_tokens(visitors: QuerySet[Visitor]) -> None:
    """Their tokens are good no longer, and their sockets are closed: at once those of a single one,
    and of who came lately; of others, where there are any, when the sweep has asked (20 s). In a
    transaction."""
    ended = list(visitors.values_list("pk", flat=True))
    told = Visitor.objects.filter(pk__in=ended)
    told.update(generation=F("generation") + 1)
    if len(ended) > 1:
        told = told.filter(seen_at__gt=timezone.now() - timedelta(seconds=SIGNED_SECONDS))
    for visitor in told.select_related("participant"):
        tell_change(visitor.participant, AccessChange.Kind.SIGNED_OUT)


# What the site signs


def signed_identity(inbox: Inbox, text: str) -> SignedIdentity:
    """`base64url(JSON) . hex(HMAC-SHA256(the inbox's secret, what stands before the dot))`.

    The JSON has `id`, `expires` (seconds since 1970, at most a day ahead), and may have `name` and
    `email`. Raises `BadIdentity`.
    """
    if len(text) > IDENTITY_LENGTH or not text.isascii():
        raise BadIdentity("malformed", "This is no signed identity.")
    body, dot, signature = text.partition(".")
    wanted = hmac.digest(inbox.secret.encode(), body.encode(), "sha256").hex()
    if not dot or not hmac.compare_digest(wanted, signature.lower()):
        raise BadIdentity("signature", "The signature does not fit the inbox's secret.")
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        claims = msgspec.json.decode(raw, type=_Claims)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise BadIdentity("malformed", f"The signed JSON cannot be used: {error}.") from None
    _check_expiry(claims.expires)
    external_id = str(claims.id)
    if not 1 <= len(external_id) <= 200 or "\x00" in external_id:
        raise BadIdentity("malformed", "An `id` has 1 to 200 characters.")
    return SignedIdentity(external_id, claims.name or "", claims.email or "")


def _check_expiry(expires: int) -> None:
    # Whole numbers: a float holds none so large as JSON does.
    ahead = expires - int(time.time())
    if ahead <= 0:
        raise BadIdentity("expired", "The identity has expired.")
    if ahead > IDENTITY_SECONDS + CLOCK_SECONDS:
        raise BadIdentity("expired", "The identity may expire in a day at most.")


def visitor_for_identity(
    inbox: Inbox,
    identity: SignedIdentity,
    *,
    present: Visitor | None = None,
    language: str = "",
    time_zone: str = "",
) -> Visitor:
    """The visitor who is this person at the site; made on first use.

    `present` is whom this device's token speaks for: if he is nobody at the site yet he becomes
    this person, with what he has written, where the person has not been here before.
    """
    try:
        with transaction.atomic():
            visitor = _known(inbox, identity)
            if visitor is None:
                visitor = _claimed(inbox, identity, present) or _made(inbox, identity)
    except IntegrityError:
        # Another request was faster.
        visitor = _known(inbox, identity)
        if visitor is None:
            raise
    _follow(visitor, identity, language, time_zone)
    return visitor


def _known(inbox: Inbox, identity: SignedIdentity) -> Visitor | None:
    found = Visitor.objects.select_related("participant", "inbox")
    return found.filter(inbox=inbox, external_id=identity.id).first()


def _claimed(inbox: Inbox, identity: SignedIdentity, present: Visitor | None) -> Visitor | None:
    if present is None or present.inbox_id != inbox.pk:
        return None
    mine = Visitor.objects.filter(pk=present.pk, external_id__isnull=True)
    if not mine.update(external_id=identity.id):
        return None
    end_tokens(Visitor.objects.filter(pk=present.pk))
    return _known(inbox, identity)


def _made(inbox: Inbox, identity: SignedIdentity) -> Visitor:
    visitor = new_visitor(inbox, name=identity.name, email=identity.email)
    visitor.external_id = identity.id
    visitor.save(update_fields=["external_id"])
    return visitor


def _follow(visitor: Visitor, identity: SignedIdentity, language: str, time_zone: str) -> None:
    """The site knows best what he is called now."""
    name, email = _usable_name(identity.name), _usable_email(identity.email)
    participant = visitor.participant
    if name and name != participant.name:
        with transaction.atomic():
            participant.name = name
            participant.save(update_fields=["name", "name_fold"])
            tell_change(participant, AccessChange.Kind.PROFILE)
    if email:
        visitor.email, visitor.email_proved = email, True
    visitor.language = language[:10] or visitor.language
    visitor.time_zone = time_zone[:60] or visitor.time_zone
    visitor.seen_at = timezone.now()
    visitor.save(
        update_fields=["email", "email_proved", "language", "time_zone", "seen_at"],
    )
    if email:
        has_address(visitor)
