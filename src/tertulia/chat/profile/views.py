"""The settings page, which needs no script, and the pictures of people."""

from __future__ import annotations

from math import ceil
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import condition, require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from tertulia.protocol.errors import ProtocolError

from ..models import Participant
from ..people import guest_in, me
from ..throttle import check_rate
from ..views import page_of, to_sign_in
from . import change, pictures
from .appearance import keep_theme, theme_of
from .forms import AppearanceForm, PictureForm, ProfileForm
from .look import initials, tint
from .names import NameTaken
from .spoken import in_own_language, languages

PAGE = "tertulia/settings.html"
# What a multipart form has besides the picture itself.
ENVELOPE = 16 * 1024
# The session's key for the path to go back to.
BACK = "tertulia_back"
# A picture's address has never another content.
FOREVER = "private, max-age=31536000, immutable"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@in_own_language
def settings_page(request: HttpRequest) -> HttpResponse:
    """Name, picture, language, time zone, and the way to what belongs to the account."""
    person = me(request)
    if person is None:
        return to_sign_in(request)
    if request.method != "POST":
        return _page(request, person)
    form = ProfileForm(person, request.POST)
    if not form.is_valid():
        return _page(request, person, profile=form)
    try:
        check_rate("profile", request, person)
        change.set_profile(person, **form.cleaned_data)
    except NameTaken:
        form.add_error("name", _("Somebody else here has this name."))
        person.refresh_from_db()
        return _page(request, person, profile=form)
    except ProtocolError as error:
        return _too_fast(request, person, error, profile=form)
    return _saved(person)


def _saved(person: Participant) -> HttpResponse:
    """Back to the page; pages that know nobody follow the choice by Django's cookie."""
    response = _done("saved")
    path, domain = settings.LANGUAGE_COOKIE_PATH, settings.LANGUAGE_COOKIE_DOMAIN
    if not person.language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, path=path, domain=domain)
        return response
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        person.language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=path,
        domain=domain,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )
    return response


def _done(what: str) -> HttpResponse:
    """To the page, which says by a word in its address what has been done."""
    return HttpResponseRedirect(f"{reverse('tertulia:settings')}?done={what}")


@csrf_exempt
def picture_form(request: HttpRequest) -> HttpResponse:
    """Another picture, or none. What is too long by its own account is not read at all."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > pictures.BYTES + ENVELOPE:
        return _refuse_unread(request)
    return _picture_form(request)


@never_cache
@require_POST
@csrf_protect
@in_own_language
def _picture_form(request: HttpRequest) -> HttpResponse:
    person = me(request)
    if person is None:
        return to_sign_in(request, reverse("tertulia:settings"))
    try:
        check_rate("profile", request, person)
    except ProtocolError as error:
        return _too_fast(request, person, error)
    if "remove" in request.POST:
        change.set_picture(person, None)
        return _done("removed")
    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, person, status=400, picture=form)
    change.set_picture(person, form.cleaned_data["picture"])
    return _done("picture")


@never_cache
@in_own_language
def _refuse_unread(request: HttpRequest) -> HttpResponse:
    """413, without touching the body: nothing in it has been proved to come from our page."""
    person = me(request)
    if person is None:
        return to_sign_in(request, reverse("tertulia:settings"))
    return _page(request, person, status=413, refused_picture=pictures.too_big().messages[0])


def _too_fast(
    request: HttpRequest, person: Participant, error: ProtocolError, **shown: Any
) -> HttpResponse:
    wait = ceil(error.retry_after or 1)
    refused = _("Too many changes. Try again in %(seconds)d s.") % {"seconds": wait}
    response = _page(request, person, status=429, refused=refused, **shown)
    response["Retry-After"] = str(wait)
    return response


def _page(
    request: HttpRequest, person: Participant, *, status: int = 200, **shown: Any
) -> HttpResponse:
    """`shown`: a form with errors as `profile` or `picture`, a sentence as `refused`."""
    account = request.user.is_authenticated
    context = {
        "person": person,
        "initials": initials(person.name),
        "tint": tint(person.public_id),
        "profile": ProfileForm(person),
        "picture": PictureForm(),
        "appearance": AppearanceForm({"theme": theme_of(request)}),
        "done": request.GET.get("done") if request.method == "GET" else None,
        "back": _way_back(request),
        "urls": {
            name: page_of(name) if account else None
            for name in ("password_change", "email_change", "logout")
        },
    }
    return render(request, PAGE, context | shown, status=status)


def _way_back(request: HttpRequest) -> str:
    """The path of the room that the person came from, kept while he is at the settings; or home."""
    home: str = reverse("tertulia:home")
    came = urlsplit(request.headers.get("Referer", ""))
    back: str = request.session.get(BACK, home)
    if came.netloc == request.get_host() and came.path != back and _is_chat(came.path):
        request.session[BACK] = back = came.path
    # A session may be older than the address that the host gives us now.
    return back if _is_chat(back) else home


def _is_chat(path: str) -> bool:
    try:
        return resolve(path).view_name in ("tertulia:home", "tertulia:room", "tertulia:message")
    except Resolver404:
        return False


@require_POST
@csrf_protect
def appearance(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device says: for this browser, whoever uses it."""
    if me(request) is None:
        return to_sign_in(request, reverse("tertulia:settings"))
    response = _done("appearance")
    keep_theme(request, response, request.POST.get("theme", ""))
    return response


@require_POST
@csrf_protect
def language(request: HttpRequest) -> HttpResponse:
    """Speak another language from now on: the quick choice of the menu and of plain pages.

    Kept in a cookie, and in the profile of whoever has one.
    """
    chosen = request.POST.get("language", "")
    if chosen in dict(languages()):
        signed_in = request.user.is_authenticated
        person = me(request) if signed_in else guest_in(request.session)
        if person is not None:
            change.set_language(person, chosen)
    return set_language(request)


def _stem(request: HttpRequest, stem: str) -> str:
    return f'"{stem}"'


@require_safe
def picture(request: HttpRequest, stem: str) -> HttpResponse:
    """A portrait, for everybody who may use the chat; for anybody else there is none."""
    name = f"{pictures.FOLDER}/{stem}.webp"
    if me(request) is None or not Participant.objects.filter(picture=name).exists():
        raise Http404
    return _picture(request, stem)


@condition(etag_func=_stem)
def _picture(request: HttpRequest, stem: str) -> HttpResponse:
    content = pictures.read(f"{pictures.FOLDER}/{stem}.webp")
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="image/webp")
    response["Cache-Control"] = FOREVER
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
