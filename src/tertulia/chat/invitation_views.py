"""Invitation links: made, listed and taken back from the room's page, and followed by a guest."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.protocol.errors import ProtocolError, forbidden, invalid

from . import invitations
from .access import role_in
from .actions.invitations import (
    AcceptInvitation,
    NotAdmitted,
    RevokeInvitation,
    Why,
    check_admits,
)
from .answers import STATUS, answer, json_view
from .encode import now, timestamp
from .mailing import addresses, asked
from .mailing.dispatch import Begun, Dispatch
from .mailing.letter import NOTE, site_of
from .mailing.newcomers import can_mail, newcomers
from .models import Participant
from .people import me, speaker_of
from .perform import perform
from .profile.spoken import speaking_to
from .throttle import check_rate
from .views import to_sign_in

# The largest primary key that a database has.
LARGEST_KEY = 2**63 - 1


@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@json_view
def room_invitations(request: HttpRequest, person: Participant, slug: str) -> HttpResponse:
    """GET: the links that I may take back, and what a mail may be, or null where I send none.
    POST: a new one; `{"expires_in": seconds}`."""
    if request.method != "POST":
        listed = invitations.listed(person, slug)
        return answer({"invitations": listed, "mail": _mail_form(request, person)})
    wanted = _wanted(request.body)
    check_rate("invite", request, person)
    invitation, token = invitations.make(person, slug, wanted)
    path = reverse("tertulia:invitation", args=[token])
    link = f"{site_of(request)}{path}"
    expires_at = timestamp(invitation.expires_at)
    return answer({"id": invitation.pk, "link": link, "expires_at": expires_at}, 201)


def _mail_form(request: HttpRequest, person: Participant) -> dict[str, Any] | None:
    if not _may_mail(person):
        return None
    with speaking_to(person):
        language = translation.get_language()
    return {
        "addresses": addresses.AT_ONCE,
        "note": NOTE,
        "language": language,
        "newcomers": newcomers(request).admitted,
    }


def _may_mail(person: Participant) -> bool:
    return can_mail() and person.kind == Participant.Kind.MEMBER


@csrf_protect
async def mail_invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """POST: `{"addresses": text, "note": text}`; a link of its own is mailed to each address.

    `{"sent": [address, …], "waiting": […], "failed": [{"address", "why"}, …]}`, as soon as the
    mail server has answered; `waiting` is what it has kept waiting until then. No thread waits.
    """
    begun = await sync_to_async(_begin_mails)(request, slug)
    if not isinstance(begun, Begun):
        return begun
    await begun.dispatch.settled()
    return await sync_to_async(_tell_mails)(begun.dispatch)


@require_POST
@json_view
def _begin_mails(request: HttpRequest, person: Participant, slug: str) -> HttpResponse:
    if not _may_mail(person):
        raise forbidden("You cannot invite by mail here.")
    try:
        wanted = asked.check(msgspec.json.decode(request.body, type=asked.Asked))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid("addresses", "Send an object with the texts addresses and note.") from None
    check_rate("mail", request, person, max(1, len(wanted.addresses)))
    with speaking_to(person):
        return Begun(invitations.mail(request, person, slug, wanted))


def _tell_mails(dispatch: Dispatch) -> HttpResponse:
    dispatch.told()
    failed = [{"address": address, "why": fault.value} for address, fault in dispatch.failed]
    told = {"sent": dispatch.sent, "waiting": dispatch.waiting, "failed": failed}
    response = answer(told)
    add_never_cache_headers(response)
    return response


def _wanted(body: bytes) -> invitations.Wanted:
    try:
        return msgspec.json.decode(body or b"{}", type=invitations.Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError):
        detail = "Send an object with 3600, 86400, 604800 or 2592000 seconds, or nothing."
        raise invalid("expires_in", detail) from None


@require_POST
@csrf_protect
@json_view
def revoke(request: HttpRequest, person: Participant, slug: str, key: int) -> HttpResponse:
    """Take a link back; a second time changes nothing."""
    perform(RevokeInvitation(speaker_of(person), slug, min(key, LARGEST_KEY)))
    return answer({})


def _keeps_the_address(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The address is a secret: no other page is told of it, and no cache keeps it.

    The origin alone is told, since without it the form's own request would be taken for one
    from elsewhere.
    """

    @never_cache
    @wraps(view)
    def keeping(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return keeping


@_keeps_the_address
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET: which room it is, and a button. POST: become a member."""
    person = me(request)
    if person is None:
        return to_sign_in(request)
    try:
        if request.method == "POST":
            check_rate("accept", request, person)
            admission = perform(AcceptInvitation(speaker_of(person), token))
            return redirect("tertulia:room", slug=admission.slug)
        return _offer(request, person, token)
    except NotAdmitted as refused:
        status = 410 if refused.why in (Why.SPENT, Why.USED) else STATUS[refused.code]
        return render(
            request, "tertulia/invitation_refused.html", {"why": refused.why}, status=status
        )
    except ProtocolError as error:
        # Too fast, or the database is away: the link itself may be good.
        status = STATUS[error.code]
        return render(request, "tertulia/invitation_refused.html", {"why": ""}, status=status)


def _offer(request: HttpRequest, person: Participant, token: str) -> HttpResponse:
    """The page with the button; who is a member already goes straight into the room."""
    found = invitations.find(token)
    if role_in(found.room_id, person.pk) is not None:
        return redirect("tertulia:room", slug=found.room.slug)
    check_admits(found, person.pk, now())
    context = {
        "room": found.room,
        "by": found.created_by,
        "members": found.room.memberships.filter(left_seq__isnull=True).count(),
    }
    return render(request, "tertulia/invitation.html", context)
