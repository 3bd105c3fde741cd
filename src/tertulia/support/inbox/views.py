"""The agents' page, and what has happened to a conversation before they looked."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.chat.answers import answer, json_view
from tertulia.chat.models import Participant
from tertulia.chat.people import me, speaker_of
from tertulia.chat.profile.spoken import in_own_language
from tertulia.chat.views import shell, to_sign_in

from .modules import MAIN, STYLES, import_map, preloads
from .read import changes_of


@never_cache
@require_safe
@in_own_language
def page(
    request: HttpRequest,
    room: str | None = None,
    seq: int | None = None,
    note: int | None = None,
) -> HttpResponse:
    """The list, or a conversation, perhaps at a message or a note.

    The same for everybody who is signed in: that nobody here is an agent, or that this is no
    conversation of his, is said by the socket.
    """
    person = me(request)
    if person is None:
        return to_sign_in(request)
    # No address may end the script early.
    imports = json.dumps(import_map()).replace("<", "\\u003c")
    context = {
        "page": _page(request, person),
        "imports": mark_safe(imports),  # noqa: S308
        "main": MAIN,
        "styles": STYLES,
        "preloads": preloads(get_language() or ""),
    }
    return render(request, "tertulia_support/inbox.html", context)


def _page(request: HttpRequest, person: Participant) -> dict[str, Any]:
    made = shell(request, person)
    made["urls"] |= {"chat": made["urls"]["home"], "home": reverse("tertulia_support_inbox:list")}
    made["urls"]["figures"] = reverse("tertulia_support_inbox:figures")
    return made


@require_safe
@json_view
def changes(request: HttpRequest, person: Participant, room: str) -> HttpResponse:
    """JSON: `{"changes": […]}`, the conversation's events `conversation.changed`, those in the log
    of its notes among them, in the order of their times. The newest of many."""
    return answer({"changes": changes_of(speaker_of(person), room)})
