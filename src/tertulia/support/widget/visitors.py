"""Visitors ask for their token here, whether there is an answer, and leave an address.

Cookies mean nothing to these views, so there is nothing that another site could do in somebody's
name, and no CSRF token.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from tertulia.chat.answers import answer
from tertulia.chat.models import Membership
from tertulia.chat.people import person_of
from tertulia.chat.throttle import address as address_of
from tertulia.protocol.errors import Code, ProtocolError

from ..mailing.arming import has_address
from ..mailing.links import back_by
from ..mailing.wishes import wants_none
from ..models import Conversation, Inbox, Visitor
from ..visitors import (
    BadIdentity,
    new_visitor,
    signed_identity,
    visitor_for_identity,
    visitor_of,
    visitor_token,
)
from .rates import check_rate
from .sites import for_sites

# A token, an identity and a few words.
BODY = 8_192
EMAIL_LENGTH = 254

Asked = TypeVar("Asked", bound=msgspec.Struct)


class Introduction(msgspec.Struct):
    """Who asks for a token: whom this device knows, who the site says he is, and the link in a mail
    by which he came. The site knows best, then the link."""

    token: str | None = None
    identity: str | None = None
    link: str | None = None
    language: str = ""
    time_zone: str = ""


class LeftAddress(msgspec.Struct):
    """An e-mail address by which he can be reached."""

    token: str
    email: str


@csrf_exempt
@require_POST
@for_sites
def visitor(request: HttpRequest, inbox: Inbox) -> HttpResponse:
    """JSON: `{"token", "me", "keep", "email"}`: a token for who he is, or for somebody new.

    `keep`: whether this device is to remember the token. Of somebody whom the site has signed it is
    not: with the site's sign-out he is to be gone. Null: what it remembers may stay.

    Who comes by a link is the visitor to whom it was mailed, for good on a device on which nobody
    else has written. Where somebody has, that conversation is not taken from him by a link that
    anybody can send him: he is the other as long as he brings the link.
    """
    asked = _body(request, Introduction)
    check_rate("ask", address_of(request))
    present = visitor_of(asked.token, inbox) if asked.token else None
    if asked.identity:
        found = _identified(inbox, asked, present)
        # The one of this device has become him.
        keep = False if present is not None and present.pk == found.pk else None
    elif asked.link:
        found = _mailed(inbox, asked.link)
        keep = True if present is None or present.pk == found.pk or not _wrote(present) else None
        _seen(found, asked)
    else:
        found, keep = present or _new(request, inbox, asked), True
        _seen(found, asked)
    # How long a customer is believed is for his site to say, not for who has got his token.
    by_token = found is present and not asked.identity and not asked.link
    signed = by_token and found.external_id is not None
    token = asked.token if signed else visitor_token(found)
    me = person_of(found.participant)
    return answer({"token": token, "me": me, "keep": keep, "email": found.email})


def _identified(inbox: Inbox, asked: Introduction, present: Visitor | None) -> Visitor:
    try:
        identity = signed_identity(inbox, asked.identity or "")
    except BadIdentity as error:
        raise ProtocolError(Code.UNAUTHENTICATED, error.detail) from None
    return visitor_for_identity(
        inbox,
        identity,
        present=present,
        language=_plain(asked.language),
        time_zone=_plain(asked.time_zone),
    )


def _mailed(inbox: Inbox, link: str) -> Visitor:
    back = back_by(link, inbox)
    if back is None:
        raise ProtocolError(
            Code.UNAUTHENTICATED, "This link is too old, or not good here: ask without it."
        )
    if back.proved:
        back.visitor.email_proved = True
        back.visitor.save(update_fields=["email_proved"])
    return back.visitor


def _wrote(visitor: Visitor) -> bool:
    return Conversation.objects.filter(client=visitor).exists()


def _new(request: HttpRequest, inbox: Inbox, asked: Introduction) -> Visitor:
    check_rate("visitor", address_of(request))
    return new_visitor(inbox, language=_plain(asked.language), time_zone=_plain(asked.time_zone))


def _seen(found: Visitor, asked: Introduction) -> None:
    found.language = _plain(asked.language)[:10] or found.language
    found.time_zone = _plain(asked.time_zone)[:60] or found.time_zone
    found.seen_at = timezone.now()
    found.save(update_fields=["language", "time_zone", "seen_at"])


def _plain(text: str) -> str:
    """Without what no database takes."""
    return text if text.isascii() and text.isprintable() else ""


@csrf_exempt
@require_POST
@for_sites
def unread(request: HttpRequest, inbox: Inbox) -> HttpResponse:
    """JSON: `{"unread": n}`, for the badge of a page on which he has not opened the conversation.

    The body is a token, or a signed identity, as plain text: browsers ask nobody whether they may
    send that.
    """
    check_rate("ask", address_of(request))
    found = _known(inbox, _text(request))
    if found is None:
        return answer({"unread": 0})
    check_rate("look", found.pk)
    return answer({"unread": _unread_of(found)})


def _known(inbox: Inbox, shown: str) -> Visitor | None:
    visitor = visitor_of(shown, inbox)
    if visitor is not None:
        return visitor
    try:
        identity = signed_identity(inbox, shown)
    except BadIdentity:
        return None
    return Visitor.objects.filter(inbox=inbox, external_id=identity.id).first()


def _unread_of(visitor: Visitor) -> int:
    newest = Conversation.objects.filter(client=visitor).order_by("-id").values("room")[:1]
    membership = (
        Membership.objects.filter(room__in=newest, participant_id=visitor.participant_id)
        .select_related("room")
        .first()
    )
    if membership is None:
        return 0
    return max(0, membership.room.messages - membership.read_number)


@csrf_exempt
@require_POST
@for_sites
def address(request: HttpRequest, inbox: Inbox) -> HttpResponse:
    """Keep an e-mail address, which the agents see beside the conversation, and to which they are
    mailed what he has not read. JSON: `{"email"}`; `forbidden` where its owner wants no mails."""
    asked = _body(request, LeftAddress)
    check_rate("ask", address_of(request))
    found = visitor_of(asked.token, inbox)
    if found is None:
        raise ProtocolError(Code.UNAUTHENTICATED, "This token is not good here.")
    check_rate("email", found.pk)
    email = asked.email.strip()
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    if not email or len(email) > EMAIL_LENGTH:
        raise ProtocolError(Code.INVALID, "This is no e-mail address.", field="email")
    if wants_none(inbox, email):
        raise ProtocolError(
            Code.FORBIDDEN,
            "Whose address this is wants no mails: a link in the last one changes it.",
        )
    if email.lower() != found.email.lower():
        found.email_proved = False
    found.email = email
    found.save(update_fields=["email", "email_proved"])
    has_address(found)
    return answer({"email": email})


def _text(request: HttpRequest) -> str:
    return _read(request).decode("utf-8", "replace").strip()


def _body(request: HttpRequest, kind: type[Asked]) -> Asked:
    try:
        return msgspec.json.decode(_read(request), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise ProtocolError(Code.INVALID, f"The body cannot be used: {error}.") from None


def _read(request: HttpRequest) -> bytes:
    body: bytes = request.read(BODY + 1)
    if len(body) > BODY:
        raise ProtocolError(Code.TOO_LARGE, f"A body has {BODY} bytes at most.")
    return body
