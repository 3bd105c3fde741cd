"""The page behind the second link of each mail: no more of them, or mails again.

What it does is allowed by the link alone, which only the mail has: no cookie means anything, so
there is no CSRF token, and mail programs may press the button themselves (RFC 8058).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tertulia.chat.answers import refusal
from tertulia.chat.throttle import address
from tertulia.protocol.errors import ProtocolError

from ..models import Inbox, Visitor
from ..widget.rates import check_rate
from . import wishes
from .letter import language_of
from .links import Stop, stop_by

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def no_mail(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, for programs look at links before people do; POST does it, or with the field
    `again` takes it back."""
    try:
        check_rate("ask", address(request))
    except ProtocolError as error:
        return refusal(error)
    told = stop_by(token)
    inbox = None if told is None else Inbox.objects.filter(public_id=told.inbox).first()
    if told is None or inbox is None:
        return _page(request, None, None, status=404)
    if request.method == "POST":
        (wishes.allow if "again" in request.POST else wishes.stop)(told)
    return _page(request, inbox, told)


def _page(
    request: HttpRequest, inbox: Inbox | None, told: Stop | None, status: int = 200
) -> HttpResponse:
    language = _language(told) or translation.get_language()
    with translation.override(language):
        context = {
            "title": inbox and str(inbox),
            "stopped": told is not None and wishes.is_stopped(told),
            "done": request.method == "POST",
        }
        page = render(request, "tertulia_support/no_mail.html", context, status=status)
    page["Content-Language"] = language or "en"
    page["Content-Security-Policy"] = POLICY
    # The address has the token in it.
    page["Referrer-Policy"] = "no-referrer"
    page["X-Robots-Tag"] = "noindex"
    return page


def _language(told: Stop | None) -> str | None:
    """The one in which the mail was."""
    if told is None:
        return None
    visitor = Visitor.objects.filter(
        inbox__public_id=told.inbox, participant__public_id=told.visitor
    ).first()
    return None if visitor is None else language_of(visitor)
