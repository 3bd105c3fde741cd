"""The pages of signing in, out and up, and of one's password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tertulia.chat.people import participant_of

from . import links, throttle
from .create import save_account
from .forms import NewPasswordForm, SignInForm, SignUpForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(views.LoginView):
    """Name and password; whoever is signed in already goes on."""

    form_class = SignInForm
    template_name = "tertulia_project/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Throttled before the password is looked at, known name or not."""
        name = request.POST.get("username", "")
        wait = throttle.before_sign_in(request, name)
        if wait:
            return slow_down(request, self.template_name, self.get_context_data(), wait)
        response = super().post(request, *args, **kwargs)
        if request.user.is_authenticated:
            throttle.after_sign_in(request, name)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Says besides whether everybody may make an account."""
        return super().get_context_data(signup_open=settings.TERTULIA_SIGNUP == "open", **kwargs)


class ChangePassword(views.PasswordChangeView):
    """Ends every other session and socket of this person."""

    form_class = NewPasswordForm
    template_name = "tertulia_project/password.html"

    def get_success_url(self) -> str:
        """Back to the chat, which says so."""
        messages.success(self.request, _("Your password is changed."))
        return reverse("tertulia:home")


def slow_down(
    request: HttpRequest, template: str, context: dict[str, Any], wait: int
) -> HttpResponse:
    """The page again, with how many seconds to wait: 429."""
    response = render(request, template, context | {"refused": wait_words(wait)}, status=429)
    response["Retry-After"] = str(wait)
    return response


def wait_words(wait: int) -> str:
    """How many seconds to wait, in a sentence."""
    return ngettext(
        "Too many attempts. Try again in %(count)d second.",
        "Too many attempts. Try again in %(count)d seconds.",
        wait,
    ) % {"count": wait}


def refuse(request: HttpRequest, template: str, reason: str, status: int) -> HttpResponse:
    """A page that says why the form is not there."""
    return render(request, template, {"reason": reason}, status=status)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """A new account, where TERTULIA_SIGNUP admits one; then on to where the person was going."""
    if request.user.is_authenticated:
        return redirect(_next(request))
    token = request.POST.get("invite") or request.GET.get("invite") or ""
    try:
        inviter = _check_admission(token)
    except _NotAdmitted as refusal:
        return refuse(request, "tertulia_project/no_sign_up.html", refusal.reason, refusal.status)
    template = "tertulia_project/sign_up.html"
    form = SignUpForm(request.POST if request.method == "POST" else None)
    onward = request.POST.get("next") or request.GET.get("next") or ""
    context: dict[str, Any] = {"form": form, "invite": token, "next": onward, "inviter": inviter}
    if request.method == "POST" and (wait := throttle.before_sign_up(request)):
        return slow_down(request, template, context | {"form": SignUpForm()}, wait)
    if form.is_valid():
        try:
            return _admit(request, form, token)
        except IntegrityError:
            form.add_error("username", _("This name is taken."))
        except (links.LinkSpent, links.LinkUnknown):
            return redirect(request.get_full_path())
    return render(request, template, context)


class _NotAdmitted(Exception):
    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def _check_admission(token: str) -> str:
    """The name of who invites, or "". Raises _NotAdmitted, with the sentence for the person and
    the HTTP status."""
    if settings.TERTULIA_SIGNUP == "open":
        return ""
    if settings.TERTULIA_SIGNUP == "closed":
        raise _NotAdmitted(_("New accounts are made by the administrator only."), 403)
    if not token:
        raise _NotAdmitted(_("You need an invitation link to make an account here."), 403)
    try:
        invitation = links.check_invitation(token)
    except links.LinkUnknown as error:
        raise _NotAdmitted(_("This invitation link is not valid."), 404) from error
    except links.LinkSpent as error:
        raise _NotAdmitted(_("This invitation link is used up or has expired."), 410) from error
    inviter = invitation.created_by
    return "" if inviter is None else participant_of(inviter).name


def _admit(request: HttpRequest, form: SignUpForm, token: str) -> HttpResponseRedirect:
    account = form.save(commit=False)
    if settings.TERTULIA_SIGNUP != "open":
        links.use_invitation(token, account)
    elif not _came_by(token, account):
        save_account(account)
    return enter(request, account)


def _came_by(token: str, account: Any) -> bool:
    """Where everybody may come in, an invitation is counted all the same, if it still is one."""
    try:
        links.use_invitation(token, account)
    except (links.LinkSpent, links.LinkUnknown):
        return False
    return True


def enter(request: HttpRequest, account: Any) -> HttpResponseRedirect:
    """Sign a new person in, and on to the page that he came for, or the chat."""
    login(request, account, backend=BACKEND)
    return HttpResponseRedirect(_next(request))


def _next(request: HttpRequest) -> str:
    """The page that the person came for (`next`), if it is this site's; else the chat."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    return target if _is_here(request, target) else reverse("tertulia:home")


def _is_here(request: HttpRequest, target: str) -> bool:
    here = {request.get_host()}
    return url_has_allowed_host_and_scheme(target, here, require_https=request.is_secure())


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The administration's own sign-in is this site's: one door, one throttle."""
    target = request.GET.get("next", "")
    if not _is_here(request, target):
        target = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(target)
    if request.user.is_staff and request.user.is_active:
        return redirect(target)
    raise PermissionDenied
