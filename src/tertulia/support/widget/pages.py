"""The page in the frame, and what is asked about an inbox without being anybody."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from tertulia.chat.answers import answer
from tertulia.chat.profile import pictures
from tertulia.chat.profile.appearance import THEMES
from tertulia.chat.profile.spoken import WRITTEN_IN
from tertulia.chat.throttle import address
from tertulia.protocol.errors import ProtocolError

from ..mailing.ready import can_mail_visitors
from ..models import Agent, Conversation, Inbox, Measure
from .look import ink_on, presence_of, texts_of
from .modules import MAIN, import_map, preloads
from .rates import check_rate
from .sites import for_sites, frame_ancestors, inbox_of, sites_of

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors {ancestors}",
    )
)


@require_safe
@xframe_options_exempt
def conversation(request: HttpRequest, inbox: str) -> HttpResponse:
    """The page in the frame. Who is signed in at the chat means nothing to it.

    `lang` is the language of the page around it, `theme` what that page has chosen, if it has.
    """
    try:
        found = inbox_of(inbox)
    except ProtocolError:
        raise Http404 from None
    language = _one_of(request.GET.get("lang"), WRITTEN_IN) or WRITTEN_IN[0]
    nonce = secrets.token_urlsafe(16)
    # No address may end the script early.
    imports = json.dumps(import_map()).replace("<", "\\u003c")
    context = {
        "page": _page(found, language),
        "title": found.name,
        "language": language,
        "theme": _one_of(request.GET.get("theme"), THEMES),
        "nonce": nonce,
        "imports": mark_safe(imports),  # noqa: S308
        "main": MAIN,
        "preloads": preloads(language),
    }
    with translation.override(language):
        response = render(request, "tertulia_support/widget.html", context)
    response["Content-Security-Policy"] = POLICY.format(
        nonce=nonce, ancestors=frame_ancestors(found)
    )
    response["Cache-Control"] = "no-store"
    response["Content-Language"] = language
    response["Referrer-Policy"] = "no-referrer"
    return response


def _one_of(asked: str | None, known: tuple[str, ...]) -> str:
    return asked if asked in known else ""


def _page(inbox: Inbox, language: str) -> dict[str, Any]:
    """What the browser needs to begin."""
    return {
        "inbox": inbox.public_id,
        "name": inbox.name,
        "texts": texts_of(inbox, language),
        "sites": sites_of(inbox),
        "mail": can_mail_visitors(),
        "socket": "/ws/",
        "base": reverse("tertulia_support_widget:conversation", args=[inbox.public_id]),
        **_look(inbox),
    }


def _look(inbox: Inbox) -> dict[str, Any]:
    return {"colour": inbox.colour, "ink": ink_on(inbox.colour), **presence_of(inbox)}


@require_safe
@for_sites
def settings(request: HttpRequest, inbox: Inbox) -> HttpResponse:
    """JSON: `{"colour", "ink", "here", "opens"}`, for the loader and the page in the frame."""
    check_rate("ask", address(request))
    return answer(_look(inbox))


@require_safe
@for_sites
def picture(request: HttpRequest, inbox: Inbox, stem: str) -> HttpResponse:
    """The portrait of somebody who answers its visitors, or has: to a visitor that of nobody else.
    A conversation may have been transferred to another inbox."""
    name = f"{pictures.FOLDER}/{stem}.webp"
    mine = Conversation.objects.filter(client__inbox=inbox)
    agents = Agent.objects.filter(Q(inbox=inbox) | Q(inbox__in=mine.values("inbox")))
    answered = Measure.objects.filter(conversation__client__inbox=inbox, agent__picture=name)
    shown = agents.filter(participant__picture=name).exists() or answered.exists()
    content = pictures.read(name) if shown else None
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/webp")
    response["Cache-Control"] = "private, max-age=86400"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
