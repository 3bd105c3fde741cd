"""Views that answer in JSON: one shape of refusal, with the protocol's codes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any, Concatenate, ParamSpec

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from tertulia.protocol.codec import error_body
from tertulia.protocol.errors import Code, ProtocolError

from .models import Participant
from .people import me

Arguments = ParamSpec("Arguments")
STATUS = {
    Code.INVALID: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.TOO_LARGE: 413,
    Code.RATE_LIMITED: 429,
    Code.UNAVAILABLE: 503,
}


def answer(result: Any, status: int = 200) -> HttpResponse:
    """An object of the protocol, or a dictionary of them, as JSON."""
    return JsonResponse(msgspec.to_builtins(result), status=status)


def refusal(error: ProtocolError) -> HttpResponse:
    """`{"error": {"code", "detail", …}}`."""
    response = answer({"error": error_body(error)}, STATUS.get(error.code, 500))
    if error.retry_after is not None:
        response["Retry-After"] = str(ceil(error.retry_after))
    return response


def json_view(
    view: Callable[Concatenate[HttpRequest, Participant, Arguments], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Arguments], HttpResponse]:
    """`view` is handed the person who asks, and may raise `ProtocolError`."""

    @never_cache
    @wraps(view)
    def answering(
        request: HttpRequest, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponse:
        try:
            person = me(request)
            if person is None:
                raise ProtocolError(Code.UNAUTHENTICATED, "Sign in first.")
            return view(request, person, *args, **kwargs)
        except ProtocolError as error:
            return refusal(error)

    return answering
