"""Invitations by mail: to the site, and how an invitation to a room leads to an account."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from tertulia.chat.mailing import asked
from tertulia.chat.mailing.dispatch import Begun, Dispatch
from tertulia.chat.mailing.letter import Invitation as Words
from tertulia.chat.mailing.letter import site_of
from tertulia.chat.mailing.models import forget_addresses
from tertulia.chat.mailing.newcomers import can_mail
from tertulia.chat.models import RoomInvitation
from tertulia.chat.people import participant_of
from tertulia.chat.throttle import check_rate
from tertulia.protocol.errors import ProtocolError

from ..models import Invitation
from . import links
from .forms import MailForm
from .invite import OUTCOME, show, staff_only
from .views import wait_words


def newcomers(request: HttpRequest) -> Callable[[RoomInvitation, str], str] | None:
    """For `TERTULIA["NEWCOMERS"]`: by whose invitation to a room people make accounts here."""
    if settings.TERTULIA_SIGNUP == "open":
        return lambda _invitation, path: _sign_up(next=path)
    user: Any = request.user
    if settings.TERTULIA_SIGNUP == "closed" or not user.is_staff:
        return None

    def admit(invitation: RoomInvitation, path: str) -> str:
        return _sign_up(invite=links.invitation_with(invitation, user), next=path)

    return admit


def _sign_up(**query: str) -> str:
    # A slash may stand in a query, and what keeps tokens out of the log looks for it.
    return f"{reverse('sign_up')}?{urlencode(query, safe='/')}"


async def invite_by_mail(request: HttpRequest) -> HttpResponse:
    """A link for each address; then back to the page, which tells what became of the mails."""
    begun = await sync_to_async(_begin)(request)
    if not isinstance(begun, Begun):
        return begun
    await begun.dispatch.settled()
    return await sync_to_async(_tell)(request, begun.dispatch)


@staff_only
@require_POST
def _begin(request: HttpRequest) -> HttpResponse:
    form = MailForm(request.POST)
    if settings.TERTULIA_SIGNUP == "closed" or not can_mail():
        return redirect("invite")
    if not form.is_valid():
        return show(request, mail_form=form, status=400)
    try:
        wanted = asked.check(asked.Asked(**form.cleaned_data))
        person = participant_of(request.user)
        check_rate("mail", request, person, max(1, len(wanted.addresses)))
    except ProtocolError as error:
        if error.retry_after is None:
            form.add_error("addresses", _("Write the address of whom you invite."))
            return show(request, mail_form=form, status=400)
        form.add_error(None, wait_words(ceil(error.retry_after)))
        return show(request, mail_form=form, status=429)
    return Begun(_send(request, person.name, wanted))


def _send(request: HttpRequest, by: str, wanted: asked.Checked) -> Dispatch:
    dispatch = Dispatch(wanted.failed)
    forget_addresses(Invitation)
    made = [links.mailed_invitation(request.user, address) for address in wanted.addresses]
    if made:
        site = site_of(request)
        words = Words(site, by, "", made[0][0].expires_at, wanted.note, newcomers=True)
        mails = [words.to(row.address, f"{site}{_sign_up(invite=token)}") for row, token in made]
        dispatch.begin([row for row, _token in made], mails)
    return dispatch


def _tell(request: HttpRequest, dispatch: Dispatch) -> HttpResponse:
    dispatch.told()
    request.session[OUTCOME] = {
        "sent": dispatch.sent,
        "waiting": dispatch.waiting,
        "failed": [[address, fault.value] for address, fault in dispatch.failed],
        "note": request.POST.get("note", "") if dispatch.failed else "",
    }
    return redirect("invite")
