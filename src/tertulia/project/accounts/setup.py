"""The first run: one link, by which the first administrator makes an account."""

from __future__ import annotations

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from . import links
from .forms import SignUpForm
from .views import enter, refuse

GONE = "tertulia_project/no_set_up.html"


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest, token: str) -> HttpResponse:
    """404 for a wrong link, 410 for one that was used or is not needed any more."""
    form = SignUpForm(request.POST if request.method == "POST" else None)
    try:
        links.check_setup(token)
        if form.is_valid():
            administrator = form.save(commit=False)
            links.use_setup(token, administrator)
            return enter(request, administrator)
    except links.LinkUnknown:
        return refuse(request, GONE, _("This set-up link is not valid."), 404)
    except links.LinkSpent:
        return refuse(request, GONE, _("This site has been set up already."), 410)
    except IntegrityError:
        form.add_error("username", _("This name is taken."))
    return render(request, "tertulia_project/set_up.html", {"form": form})
