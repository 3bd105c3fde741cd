"""Whose sign-in still holds: asked of the database for all open sockets at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.base import SessionBase
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from . import kinds
from .conf import conf
from .models import Participant, Token
from .people import Speaker, guest_in, participant_of, speaker_found, speaker_of, user_has
from .sql.identity import (
    BY_ID,
    BY_PUBLIC_ID,
    BY_TOKEN,
    BY_USER,
    Found,
    find_people,
    newest_change,
)

if TYPE_CHECKING:
    from .connecting.token import Credential

_CHUNK = 512
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
    """Who a socket speaks for, and the mark up to which his sign-outs are known.

    `rooms` is None where they have not been read yet. `credential` is what a connect token for
    him would be made for; None: he is given none. `token` is what a visitor brings next time.
    """

    __slots__ = ("credential", "mark", "rooms", "speaker", "token")

    def __init__(
        self,
        speaker: Speaker,
        mark: int,
        rooms: list[int] | None,
        credential: Credential | None = None,
    ) -> None:
        self.speaker = speaker
        self.mark = mark
        self.rooms = rooms
        self.credential = credential
        self.token: str | None = None


def last_change() -> int:
    """The id of the newest change of access."""
    return newest_change(connection)


def user_or_guest(session_key: str) -> Any:
    """Whom a session cookie speaks for: a user of the host, a guest's `Speaker`, or None."""
    session = open_session(session_key)
    user = user_if_known(user_of(session))
    return guest_speaker(session) if user is None and conf.open else user


def user_if_known(user: Any) -> Any:
    """The user whom a request or a handshake has; None for nobody."""
    return user if user is not None and user.is_authenticated else None


def guest_speaker(session: SessionBase) -> Speaker | None:
    """The guest whom a session remembers."""
    guest = guest_in(session)
    return speaker_of(guest) if guest is not None else None


def identify_tokens(digests: list[str]) -> list[Identity | Exception | None]:
    """Whom these bearer tokens speak for, in one statement."""
    found = find_people(connection, BY_TOKEN, digests)
    return [
        _identity(found[digest]) if digest in found and _speaks(found[digest]) else None
        for digest in digests
    ]


def _speaks(found: Found) -> bool:
    """Whether a bearer token speaks for him: a bot, or an account that may sign in."""
    if not found.has_user:
        return found.kind == Participant.Kind.BOT
    if found.active is None:
        participant = Participant.objects.select_related("user").get(pk=found.id)
        return participant.user is not None and bool(participant.user.is_active)
    return found.active


def identify_guests(public_ids: list[str]) -> list[Identity | Exception | None]:
    """The guests with these ids, in one statement."""
    return _identify_kind(Participant.Kind.GUEST, public_ids)


def identify_visitors(names: list[str]) -> list[Identity | Exception | None]:
    """Whom visitors' tokens name. Whether they are good still is asked behind the mark: what ends
    one of them meanwhile comes after it."""
    kind = Participant.Kind.VISITOR
    ids = [name.partition(".")[0] for name in names]
    found = _identify_kind(kind, ids)
    good = kinds.bearers[kind].speaking(names)
    return [one if name in good else None for name, one in zip(names, found, strict=True)]


def _identify_kind(kind: str, public_ids: list[str]) -> list[Identity | Exception | None]:
    found = find_people(connection, BY_PUBLIC_ID, public_ids)
    those = {key: one for key, one in found.items() if one.kind == kind}
    return [_identity(those[key]) if key in those else None for key in public_ids]


def identify_each(
    questions: list[tuple[Callable[[Any], Any], Any]],
) -> list[Identity | Exception | None]:
    """Whom each `find(key)` finds (a user, a `Speaker`, None), by the host's own ways.

    What failed is among the answers, so that it harms no other handshake. The mark is read
    first: whatever ends a sign-in while it is being asked about comes after it.
    """
    mark = last_change()
    whom = [_found_by(find, key) for find, key in questions]
    users = [one for one in whom if not isinstance(one, Speaker | Exception | None)]
    by_user = find_people(connection, BY_USER, map(_user_key, users))
    # An account may come for the first time; guests are known by their session.
    speakers = [
        one
        if isinstance(one, Speaker | Exception | None)
        else by_user.get(_user_key(one)) or speaker_of(participant_of(one))
        for one in whom
    ]
    rooms = find_people(connection, BY_ID, [one.id for one in speakers if isinstance(one, Speaker)])
    found = [rooms.get(one.id) if isinstance(one, Speaker) else one for one in speakers]
    return [_identity(one, mark) if isinstance(one, Found) else one for one in found]


def _found_by(find: Callable[[Any], Any], key: Any) -> Any:
    try:
        return find(key)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
        # Leave no transaction behind in a connection that is kept.
        connection.close()
        return error


def _user_key(user: Any) -> Any:
    """A user's primary key as the database keeps it."""
    field: Any = Participant._meta.get_field("user")
    return field.get_db_prep_value(user.pk, connection, prepared=False)


def _identity(found: Found, mark: int | None = None) -> Identity:
    return Identity(speaker_found(found), found.mark if mark is None else mark, found.rooms)


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


def ended_bearers(names: list[str]) -> set[str]:
    """Those of what visitors' tokens name (`Bearer.named_in`) that is not good any more."""
    bearer = kinds.bearers[Participant.Kind.VISITOR]
    ended = set(names)
    for some in _chunks(names):
        ended -= set(bearer.speaking(some))
    return ended


def invalid_session(session_key: str) -> bool:
    """The thorough question, asked of the few after a sign-out: does this cookie still speak?"""
    return user_or_guest(session_key) is None


def _chunks(keys: list[str]) -> list[list[str]]:
    """Powers of two of them, so that there are few texts of statements (see `few_lengths`)."""
    chunks, start = [], 0
    while left := len(keys) - start:
        size = min(_CHUNK, 1 << (left.bit_length() - 1))
        chunks.append(keys[start : start + size])
        start += size
    return chunks
