"""The pages of the chat: a shell each, which the browser fills through the socket."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tertulia.protocol.errors import ProtocolError

from . import api
from .access import visible_room
from .answers import answer, json_view
from .conf import conf
from .connecting.door import page_token
from .finding import find_public
from .models import Participant, Room
from .people import GUEST_SESSION_KEY, me, person_of, speaker_of
from .places import places_of
from .profile.spoken import in_own_language, languages
from .slugs import check_slug, slug_from_name
from .throttle import check_rate

# How many public rooms the home page offers at once; a filter finds the others.
OFFERED = 50
# A browser counts exactly up to here.
LARGEST_SEQ = 2**53 - 1


@never_cache
@require_safe
@in_own_language
def home(request: HttpRequest) -> HttpResponse:
    """My rooms, the public ones, and a field to enter a room by name."""
    person = me(request)
    if person is None:
        return to_sign_in(request)
    return render(request, "tertulia/home.html", {"page": shell(request, person)})


@never_cache
@require_safe
@in_own_language
def room(request: HttpRequest, slug: str, seq: int | None = None) -> HttpResponse:
    """A room, or one message in its surroundings.

    A room that one may not see and one that does not exist give the same page, status 404.
    """
    person = me(request)
    if person is None:
        return to_sign_in(request)
    if seq is not None and seq > LARGEST_SEQ:
        raise Http404
    found = _at(request, person, slug)
    if found is None:
        context = {"name": slug, "may_create": _is_slug(slug)}
        return render(request, "tertulia/not_found.html", context, status=404)
    if found.slug != slug:
        return redirect(_address(found.slug, seq))
    page = shell(request, person) | {"room": found.slug, "name": found.name, "seq": seq}
    return render(request, "tertulia/room.html", {"page": page, "room": found})


@never_cache
@require_safe
@in_own_language
def enter(request: HttpRequest) -> HttpResponse:
    """Go to the room of this name or address; where there is none, home offers to make it."""
    person = me(request)
    if person is None:
        return to_sign_in(request)
    name = _asked(request, "name")
    if not name:
        return redirect("tertulia:home")
    found = _named(person, name)
    if found is not None:
        return redirect("tertulia:room", slug=found.slug)
    if conf.open:
        return redirect("tertulia:room", slug=_slug_of(name))
    return HttpResponseRedirect(f"{reverse('tertulia:home')}?{urlencode({'new': name})}")


@require_safe
@json_view
def public_rooms(request: HttpRequest, person: Participant) -> HttpResponse:
    """JSON: public rooms that I could enter and have not. `q` filters them by name, address and
    topic; with `archived=1` those that can only be read are among them.

    `{"rooms": [{"room", "name", "topic", "members", "archived"}, …], "more": bool}`
    """
    archived = request.GET.get("archived") == "1"
    rooms, more = find_public(person, _asked(request, "q"), OFFERED, archived=archived)
    return answer({"rooms": rooms, "more": more})


def shell(request: HttpRequest, person: Participant) -> dict[str, Any]:
    """What a page needs in the browser to begin; everything else comes through the socket."""
    is_staff = getattr(request.user, "is_staff", False)
    return {
        "me": msgspec.to_builtins(person_of(person)),
        "room": None,
        "seq": None,
        "open": conf.open,
        "languages": [list(pair) for pair in languages()],
        "connect": _connect_token(request, person),
        "language": person.language,
        "timeZone": person.time_zone,
        "urls": {
            "home": reverse("tertulia:home"),
            "enter": reverse("tertulia:enter"),
            "publicRooms": reverse("tertulia:public_rooms"),
            "settings": reverse("tertulia:settings"),
            "socket": "/ws/",
            "signIn": resolve_url(settings.LOGIN_URL),
            "signOut": page_of("logout") if request.user.is_authenticated else None,
            "password": page_of("password_change") if request.user.is_authenticated else None,
            "invite": page_of("invite") if is_staff else None,
            "administration": page_of("admin:index") if is_staff else None,
            **places_of(person),
        },
    }


def _connect_token(request: HttpRequest, person: Participant) -> str | None:
    """With it the page's first connection needs no question to the database either.

    Only for whom the session itself speaks: a host may know a request's user by other ways.
    """
    session, user = request.session, request.user
    if user.is_authenticated:
        known = session.get(SESSION_KEY) == user._meta.pk.value_to_string(user)
    else:
        known = session.get(GUEST_SESSION_KEY) == person.public_id
    return page_token(speaker_of(person), session.session_key) if known else None


def page_of(name: str) -> str | None:
    """The address of a page that a host project may not have."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def to_sign_in(request: HttpRequest, back: str | None = None) -> HttpResponse:
    """Where a page sends whom it does not know; he comes back to it, or to the page `back`."""
    return redirect_to_login(back or request.get_full_path(), resolve_url(settings.LOGIN_URL))


def _address(slug: str, seq: int | None) -> str:
    if seq is None:
        return reverse("tertulia:room", args=[slug])
    return reverse("tertulia:message", args=[slug, seq])


def _asked(request: HttpRequest, field: str) -> str:
    """A field of the query; NUL, which no database takes, means nothing in it."""
    return request.GET.get(field, "").replace("\0", "").strip()


def _at(request: HttpRequest, person: Participant, slug: str) -> Room | None:
    """The room at an address, if `person` may see it; in open mode a first visit makes it, where
    he has not just made very many."""
    if not _is_slug(slug):
        return None
    found = visible_room(person, slug)
    if found is None and conf.open:
        # The address may be that of a private room, which stays closed.
        with contextlib.suppress(ProtocolError):
            check_rate("create", request, person)
            api.open_room(slug)
        found = visible_room(person, slug)
    return found


def _named(person: Participant, name: str) -> Room | None:
    """The room whose address or name somebody wrote into a field."""
    for slug in (name, slug_from_name(name)):
        found = visible_room(person, slug) if _is_slug(slug) else None
        if found is not None:
            return found
    return Room.objects.filter(kind=Room.Kind.PUBLIC, name__iexact=name).first()


def _slug_of(name: str) -> str:
    return check_slug(name) if _is_slug(name) else slug_from_name(name)


def _is_slug(text: str) -> bool:
    try:
        check_slug(text)
    except ValueError:
        return False
    return True
