"""Invitation links: made, listed and taken back by the staff."""

from __future__ import annotations

from functools import wraps
from typing import Any, Protocol

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tertulia.chat.conf import conf

from . import links
from .forms import InviteForm

SHOWN = 100  # the newest


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
    new_link = None
    if form.is_valid():
        token = links.new_invitation(request.user, form.cleaned_data["uses"])
        new_link = f"{_site(request)}{reverse('sign_up')}?invite={token}"
        form = InviteForm()
    context = {
        "form": form,
        "new_link": new_link,
        "invitations": links.invitations()[:SHOWN],
        "now": timezone.now(),
        "signup": settings.TERTULIA_SIGNUP,
        "sign_up_address": f"{_site(request)}{reverse('sign_up')}",
    }
    return render(request, "tertulia_project/invite.html", context)


@staff_only
@require_POST
def revoke(request: HttpRequest, key: int) -> HttpResponse:
    """Take a link back."""
    links.revoke_invitation(key)
    return redirect("invite")


def _site(request: HttpRequest) -> str:
    origin: str = conf.site_origin or f"{request.scheme}://{request.get_host()}"
    return origin
