"""A forgotten password: a link by mail, good once and for an hour, with which to choose another.

The page answers the same, and as fast, whether an account has the address or not: looking for
it, writing the mail and handing it over happen behind the answer.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tertulia.chat.mailing.letter import letter, site_of
from tertulia.chat.mailing.sender import TooManyWait, behind, deliver
from tertulia.chat.models import Participant

from . import throttle
from .forms import PASSWORD_HELP, FocusOnFault
from .views import slow_down

TEMPLATE = "tertulia_project/reset.html"


class ForgottenForm(PasswordResetForm):
    """The address of an account, and the mail to whoever has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = gettext_lazy("E-mail address")
        self.fields["email"].help_text = gettext_lazy("The one that your account has.")

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        """In the language of the person, if he has chosen one. What goes wrong is logged."""
        site = f"{context['protocol']}://{context['domain']}"
        person = Participant.objects.filter(user=context["user"]).first()
        with translation.override((person and person.language) or context["language"]):
            subject = render_to_string(subject_template_name, context)
            body = render_to_string(email_template_name, context)
            mail = letter(site, to_email, subject, body)
        deliver([mail], "new password")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for the link."""
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, TEMPLATE, {"form": form})
    address = form.cleaned_data["email"]
    wait = throttle.before_reset(request, address)
    if wait:
        return slow_down(request, TEMPLATE, {"form": ForgottenForm()}, wait)
    _send_behind(form, request)
    return render(request, "tertulia_project/reset_sent.html", {"address": address})


def _send_behind(form: ForgottenForm, request: HttpRequest) -> None:
    scheme, _mark, host = site_of(request).partition("://")
    language = translation.get_language() or settings.LANGUAGE_CODE

    def send() -> None:
        form.save(
            domain_override=host,
            use_https=scheme == "https",
            subject_template_name="tertulia_project/reset_subject.txt",
            email_template_name="tertulia_project/reset_mail.txt",
            extra_email_context={"language": language},
        )

    # The answer is the same whatever happens; the log has what did not.
    with suppress(TooManyWait):
        behind(1, send)


class NewPassword(FocusOnFault, SetPasswordForm):
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].help_text = PASSWORD_HELP
        self.fields["new_password2"].help_text = ""


class ChooseAnother(views.PasswordResetConfirmView):
    """Behind the link. Django moves its token into the session: no other page sees the address."""

    form_class = NewPassword
    template_name = "tertulia_project/reset_confirm.html"

    def get_success_url(self) -> str:
        """To the sign-in page, which says so."""
        messages.success(self.request, _("Your password is changed. Sign in with the new one."))
        return reverse("login")
