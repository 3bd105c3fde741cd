"""Which sites an inbox is for: who may frame its page and call its addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from tertulia.chat.answers import refusal
from tertulia.chat.conf import conf
from tertulia.chat.origin import Origin, parse_origin
from tertulia.protocol.errors import Code, ProtocolError

from ..models import Inbox

Arguments = ParamSpec("Arguments")
# What may stand in a header: the inbox's own check allows no more, but it is not always asked.
_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?\Z")


def sites_of(inbox: Inbox) -> list[str]:
    """Its origins, as they stand in headers."""
    return [site for site in inbox.sites if _PLAIN.match(site) and parse_origin(site)]


def frame_ancestors(inbox: Inbox) -> str:
    """What its page says of who may frame it."""
    return " ".join(sites_of(inbox)) or "'none'"


def inbox_of(public_id: str) -> Inbox:
    """The inbox at an address; raises `not_found`."""
    # PostgreSQL takes no NUL, and no id has one.
    named = Inbox.objects.filter(public_id=public_id) if "\0" not in public_id else None
    found = named.first() if named is not None else None
    if found is None:
        raise ProtocolError(Code.NOT_FOUND, "There is no such inbox.")
    return found


def _is_known(request: HttpRequest, inbox: Inbox, origin: str) -> bool:
    asked = parse_origin(origin)
    known = {parse_origin(site) for site in sites_of(inbox)} | {_own(request)}
    return asked is not None and asked in known


def _own(request: HttpRequest) -> Origin | None:
    return parse_origin(conf.site_origin or f"{request.scheme}://{request.get_host()}".lower())


def for_sites(
    view: Callable[Concatenate[HttpRequest, Inbox, Arguments], HttpResponse],
) -> Callable[Concatenate[HttpRequest, str, Arguments], HttpResponse]:
    """`view` is handed the inbox; pages of its sites may call it, and its own page.

    `view` may raise `ProtocolError`. A refusal may be read by everybody: it says nothing, and the
    loader stays away instead of asking again.
    """

    @wraps(view)
    def answering(
        request: HttpRequest, inbox: str, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponse:
        origin = request.headers.get("Origin")
        try:
            found = inbox_of(inbox)
            if origin is not None and not _is_known(request, found, origin):
                raise ProtocolError(Code.FORBIDDEN, "This inbox is not for that site.")
            response = view(request, found, *args, **kwargs)
        except ProtocolError as error:
            response = refusal(error)
        response.headers.setdefault("Cache-Control", "no-store")
        if origin is not None:
            refused = response.status_code in (403, 404)
            response["Access-Control-Allow-Origin"] = "*" if refused else origin
            # How long the loader is to wait.
            response["Access-Control-Expose-Headers"] = "Retry-After"
        patch_vary_headers(response, ["Origin"])
        return response

    return answering
