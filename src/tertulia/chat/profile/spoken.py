"""The language and the time zone of the person who asks, for pages that the server makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from ..models import Participant
from ..people import me

# What the chat's pages are written in.
WRITTEN_IN = ("en", "es")


def languages() -> list[tuple[str, str]]:
    """Those of the project that the chat speaks: code and own name."""
    return [(code, name) for code, name in settings.LANGUAGES if code in WRITTEN_IN]


def zone_of(person: Participant) -> ZoneInfo | None:
    """The chosen time zone, where this machine knows it."""
    try:
        return ZoneInfo(person.time_zone) if person.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


@contextmanager
def speaking_to(person: Participant | None) -> Iterator[None]:
    """Inside, texts and times are as this person has chosen; else as the request has them."""
    with ExitStack() as stack:
        if person is not None and person.language in WRITTEN_IN:
            stack.enter_context(translation.override(person.language))
        if person is not None and (zone := zone_of(person)) is not None:
            stack.enter_context(timezone.override(zone))
        yield


def in_own_language(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For views of a host project too, which need not have any middleware for it."""

    @wraps(view)
    def speaking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with speaking_to(me(request)):
            response = view(request, *args, **kwargs)
            language = translation.get_language()
        if language:
            response.headers.setdefault("Content-Language", language)
        return response

    return speaking
