"""Invitation links: made, sent by mail, listed and taken back by the staff."""

from __future__ import annotations

from functools import wraps
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.chat.mailing import sender
from tertulia.chat.mailing.faults import Fault
from tertulia.chat.mailing.letter import site_of
from tertulia.chat.mailing.models import Delivery
from tertulia.chat.mailing.newcomers import can_mail

from ..models import Invitation
from . import links
from .forms import InviteForm, MailForm

SHOWN = 100  # the newest
# Where the session keeps what became of mails until the page has told it.
OUTCOME = "tertulia_mailed"
WHY = {
    Fault.ADDRESS: _("is no mail address"),
    Fault.REFUSED: _("the mail server refuses this address"),
    Fault.LATER: _("the mail server does not take it now; try again later"),
    Fault.SERVER: _("the mail server cannot be reached or used"),
    Fault.BUSY: _("too many mails are waiting; try again later"),
    Fault.OFTEN: _("was written to several times today"),
    Fault.MANY: _("is one too many at a time: send again"),
}


class _View(Protocol):
    def __call__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse: ...


def staff_only(view: _View) -> _View:
    """Who is not signed in is sent to sign in; who is not of the staff gets 403."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(checked)


@never_cache
@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """The list, and a new link, which is shown this once: only its hash is kept."""
    form = InviteForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return show(request, form=form)
    token = links.new_invitation(request.user, form.cleaned_data["uses"])
    return show(request, new_link=f"{site_of(request)}{reverse('sign_up')}?invite={token}")


def show(
    request: HttpRequest,
    *,
    form: InviteForm | None = None,
    mail_form: MailForm | None = None,
    new_link: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with what became of the mails that were sent from it a moment ago."""
    outcome = request.session.pop(OUTCOME, None)
    if mail_form is None:
        mail_form = MailForm(initial=_once_more(outcome))
    language = translation.get_language_info(translation.get_language() or "en")
    context = {
        "form": form or InviteForm(),
        "mail_form": mail_form if can_mail() else None,
        "language": language["name_local"],
        "outcome": _worded(outcome),
        "new_link": new_link,
        "invitations": [_Line.of(row, request.user) for row in links.invitations()[:SHOWN]],
        "signup": settings.TERTULIA_SIGNUP,
        "sign_up_address": f"{site_of(request)}{reverse('sign_up')}",
        "mails": sender.count(),
    }
    return render(request, "tertulia_project/invite.html", context, status=status)


def _once_more(outcome: dict[str, Any] | None) -> dict[str, str]:
    """What did not go out stays in the fields."""
    if not outcome or not outcome["failed"]:
        return {}
    failed = ", ".join(address for address, _why in outcome["failed"])
    return {"addresses": failed, "note": outcome["note"]}


def _worded(outcome: dict[str, Any] | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    failed = [(address, WHY[Fault(why)]) for address, why in outcome["failed"]]
    return {**outcome, "failed": failed}


class _Line(NamedTuple):
    """An invitation as the list shows it."""

    made: Invitation
    to: str
    """The address; blank: a link to be passed on, or not for these eyes."""
    delivery: Delivery | None
    state: str

    @classmethod
    def of(cls, made: Invitation, reader: Any) -> _Line:
        mailed = made.for_room or made
        sees = reader.is_superuser or made.created_by_id == reader.pk
        return cls(made, mailed.address if sees else "", mailed.delivered, state_of(made))


def state_of(made: Invitation) -> str:
    """`open`, `taken back`, `used up`, `expired`, or `lost` with its mail."""
    delivered = (made.for_room or made).delivered
    taken_back = made.revoked_at or (made.for_room and made.for_room.revoked_at)
    if taken_back:
        # Nobody took it back by hand: its mail never went out, and who sent it was told.
        return "lost" if delivered == Delivery.FAILED else "taken back"
    if made.used >= made.uses:
        return "used up"
    return "expired" if made.expires_at <= timezone.now() else "open"


@staff_only
@require_POST
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    """Take a link back."""
    links.revoke_invitation(key)
    return redirect("invite")
