"""Whose sign-in still holds: asked of the database for all open sockets at once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from .conf import conf
from .models import AccessChange, Participant, Token
from .people import (
    Speaker,
    guest_in,
    participant_by_guest_token,
    participant_by_token,
    participant_of,
    speaker_of,
    user_has,
)

_CHUNK = 500
# Tokens of people whose account was deleted speak for nobody; bots have none to begin with.
_SPEAKING = Q(participant__user__isnull=False) | Q(participant__kind=Participant.Kind.BOT)


def open_session(session_key: str) -> SessionBase:
    """The session with this key, by whatever engine the project uses."""
    store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    return store(session_key)


def user_of(session: SessionBase) -> Any:
    """The session's user, if its password and account still hold; else an anonymous one."""
    request = HttpRequest()
    request.session = session
    return get_user(request)


class Identity:
    """Who a socket speaks for, and the mark up to which his sign-outs are known."""

    __slots__ = ("mark", "rooms", "speaker")

    def __init__(self, speaker: Speaker, mark: int, rooms: list[int]) -> None:
        self.speaker = speaker
        self.mark = mark
        self.rooms = rooms


def last_change() -> int:
    """The id of the newest access change."""
    newest = AccessChange.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def by_session(session_key: str) -> Speaker | None:
    """Whom a session cookie speaks for."""
    session = open_session(session_key)
    user = user_of(session)
    if user.is_authenticated:
        return speaker_of(participant_of(user))
    guest = guest_in(session) if conf.open else None
    return speaker_of(guest) if guest is not None else None


def by_token(token: str) -> Speaker | None:
    """Whom a bearer token or a guest token speaks for."""
    participant = participant_by_token(token) or participant_by_guest_token(token)
    return speaker_of(participant) if participant is not None else None


def by_user(user: Any) -> Speaker | None:
    """Whom Channels' auth middleware has found."""
    if user is None or not user.is_authenticated:
        return None
    return speaker_of(participant_of(user))


def identify(find: Any, key: Any) -> Identity | None:
    """`find(key)` with what the live side needs to know of the speaker, in one thread hop."""
    from .read import my_room_ids

    mark = last_change()
    speaker = find(key)
    if speaker is None:
        return None
    return Identity(speaker, mark, my_room_ids(speaker.id))


def ended_sessions(session_keys: list[str]) -> set[str]:
    """Those that have expired or been deleted."""
    if settings.SESSION_ENGINE != "django.contrib.sessions.backends.db":
        return {key for key in session_keys if invalid_session(key)}
    from django.contrib.sessions.models import Session

    ended = set(session_keys)
    for some in _chunks(session_keys):
        ended -= set(
            Session.objects.filter(
                session_key__in=some, expire_date__gt=timezone.now()
            ).values_list("session_key", flat=True)
        )
    return ended


def ended_tokens(digests: list[str]) -> set[str]:
    """Those that have been deleted, or whose user may not sign in any more."""
    ended = set(digests)
    for some in _chunks(digests):
        tokens = Token.objects.filter(_SPEAKING, digest__in=some)
        if user_has("is_active"):
            tokens = tokens.exclude(participant__user__is_active=False)
        ended -= set(tokens.values_list("digest", flat=True))
    return ended


def invalid_session(session_key: str) -> bool:
    """The thorough question, asked of the few after a sign-out: does this cookie still speak?"""
    return by_session(session_key) is None


def _chunks(keys: list[str]) -> list[list[str]]:
    return [keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)]
