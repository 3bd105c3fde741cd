"""The Content-Security-Policy of every page, the administration included."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject, empty

# No inline style, and of scripts in the page only the import map, which has the response's nonce;
# sockets to the same origin are 'self' too.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'{nonce}",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


@sync_and_async_middleware
def content_security_policy(
    get_response: Callable[[HttpRequest], Any],
) -> Callable[[HttpRequest], Any]:
    """Middleware: set the header, unless the view has set one of its own."""
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponse:
            _offer_nonce(request)
            awaited: Awaitable[HttpResponse] = get_response(request)
            return _with_policy(request, await awaited)

        return markcoroutinefunction(async_middleware)

    def middleware(request: HttpRequest) -> HttpResponse:
        _offer_nonce(request)
        return _with_policy(request, get_response(request))

    return middleware


def _offer_nonce(request: HttpRequest) -> None:
    """`request.csp_nonce`, made when a template asks for it."""
    request.csp_nonce = SimpleLazyObject(lambda: secrets.token_urlsafe(16))  # type: ignore[attr-defined]


def _with_policy(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    nonce = request.csp_nonce  # type: ignore[attr-defined]
    used = nonce._wrapped is not empty
    policy = POLICY.format(nonce=f" 'nonce-{nonce}'" if used else "")
    response.headers.setdefault("Content-Security-Policy", policy)
    return response
