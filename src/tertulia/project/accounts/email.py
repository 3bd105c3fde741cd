"""One's mail address: where the link goes by which a forgotten password is replaced."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from . import throttle
from .views import slow_down

TEMPLATE = "tertulia_project/email.html"


class EmailForm(forms.Form):
    """The address, and the present password: who finds an open page may not take the account."""

    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        help_text=_("Only for replacing a forgotten password. Leave it empty for none."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        label=_("Your present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: Any, data: Any = None) -> None:
        super().__init__(data, initial={"email": user.email})
        self.user = user

    def clean_password(self) -> str:
        """Refuses a wrong one."""
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise ValidationError(_("This is not your password."), code="wrong")
        return password


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def change_email(request: HttpRequest) -> HttpResponse:
    """Guessing at the password is throttled like signing in."""
    user: Any = request.user
    if request.method != "POST":
        return render(request, TEMPLATE, {"form": EmailForm(user)})
    name = user.get_username()
    wait = throttle.before_sign_in(request, name)
    if wait:
        return slow_down(request, TEMPLATE, {"form": EmailForm(user)}, wait)
    form = EmailForm(user, request.POST)
    guessed = "password" in form.errors
    if not guessed:
        throttle.after_sign_in(request, name)
    if not form.is_valid():
        return render(request, TEMPLATE, {"form": form})
    user.email = form.cleaned_data["email"]
    user.save(update_fields=["email"])
    return HttpResponseRedirect(f"{reverse('tertulia:settings')}?done=saved")
