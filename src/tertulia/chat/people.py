"""Who people are in the chat: participants of users, guests, and the tokens that speak for them."""

from __future__ import annotations

import hashlib
import secrets
import sys
from typing import Any

import msgspec
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from tertulia.protocol.events import Person

from .conf import conf
from .models import Participant, Token
from .sql.identity import Found

GUEST_SESSION_KEY = "tertulia_guest"
_GUEST_SALT = "tertulia.guest"
# Where a request remembers who asks.
_ME = "_tertulia_me"
_GUEST_SECONDS = 90 * 24 * 3600


class Speaker(msgspec.Struct, frozen=True):
    """Somebody on whose behalf an action runs: his primary key and what others see of him."""

    id: int
    person: Person

    @property
    def is_guest(self) -> bool:
        """Whether he came without an account."""
        return self.person.kind == Participant.Kind.GUEST

    @property
    def is_visitor(self) -> bool:
        """Whether he sees the rooms that he is a member of, and nothing else at all."""
        return self.person.kind == Participant.Kind.VISITOR


def person_of(participant: Participant) -> Person:
    """What everybody sees of a participant."""
    return Person(
        id=participant.public_id,
        name=participant.name,
        kind=participant.kind,
        avatar=participant.avatar,
    )


def speaker_of(participant: Participant) -> Speaker:
    """A participant as the one who acts."""
    return Speaker(id=participant.pk, person=person_of(participant))


def speaker_found(found: Found) -> Speaker:
    """The same of a plain row."""
    # There are three kinds, and as many speakers as connections.
    kind = sys.intern(found.kind)
    return Speaker(found.id, Person(found.public_id, found.name, kind, found.avatar))


def user_has(field: str) -> bool:
    """Whether the host's user model keeps this field; `is_active` may be a mere attribute."""
    return any(known.name == field for known in get_user_model()._meta.get_fields())


def participant_of(user: Any) -> Participant:
    """The participant of a user of the host; made on first use."""
    participant = Participant.objects.filter(user=user).first()
    if participant is not None:
        return participant
    try:
        with transaction.atomic():
            return enrol(user)
    except IntegrityError:
        return Participant.objects.get(user=user)


def enrol(user: Any) -> Participant:
    """A participant for a user who has none, under a name that is free. Needs a transaction.

    Raises IntegrityError where another process was faster.
    """
    from .profile.names import free_name, lock_names

    lock_names()
    return Participant.objects.create(user=user, name=free_name(user.get_username()))


def new_guest() -> Participant:
    """Somebody without an account, called guest-1a2b; longer when the short names are taken."""
    for size in (2, 2, 2, 3, 4):
        name = f"guest-{secrets.token_hex(size)}"
        if not Participant.objects.filter(name_fold=name).exists():
            break
    return Participant.objects.create(kind=Participant.Kind.GUEST, name=name)


def guest_of(session: SessionBase) -> Participant:
    """The guest whom this session remembers; made on first use."""
    guest = guest_in(session)
    if guest is None:
        guest = new_guest()
        session[GUEST_SESSION_KEY] = guest.public_id
    return guest


def guest_in(session: SessionBase) -> Participant | None:
    """The guest whom this session remembers, if any."""
    public_id = session.get(GUEST_SESSION_KEY)
    if not public_id:
        return None
    return Participant.objects.filter(public_id=public_id, kind=Participant.Kind.GUEST).first()


def me(request: HttpRequest) -> Participant | None:
    """Who asks for a page: the user's participant, a guest where guests are admitted, or None.

    The database is asked once a request.
    """
    known: Participant | None = getattr(request, _ME, None)
    if known is None:
        if request.user.is_authenticated:
            known = participant_of(request.user)
        elif conf.open:
            known = guest_of(request.session)
        setattr(request, _ME, known)
    return known


def digest_of(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def issue_token(participant: Participant) -> str:
    """A new bearer token; it is not kept and cannot be shown again."""
    token = secrets.token_urlsafe(32)
    Token.objects.create(participant=participant, digest=digest_of(token))
    return token


def participant_by_token(token: str) -> Participant | None:
    """Whom a bearer token speaks for; None when it is wrong or its user may not sign in."""
    found = (
        Token.objects.select_related("participant__user").filter(digest=digest_of(token)).first()
    )
    return _active(found.participant) if found is not None else None


def _active(participant: Participant) -> Participant | None:
    user = participant.user
    if user is None:
        return participant if participant.kind == Participant.Kind.BOT else None
    return participant if user.is_active else None


def has_account(participant: Participant) -> bool:
    """Whether he is still somebody here: an account that was closed or deleted is nobody's."""
    if participant.kind != Participant.Kind.MEMBER:
        return True
    return participant.user is not None and bool(participant.user.is_active)


def guest_token(public_id: str) -> str:
    """What a guest brings back to be the same guest again."""
    return signing.dumps(public_id, salt=_GUEST_SALT)


def guest_in_token(token: str) -> str | None:
    """The public id in a guest token, where guests are admitted; None: it is no guest token."""
    # A bearer token of ours has no colon, and is spared the work.
    if not conf.open or ":" not in token:
        return None
    try:
        public_id: str = signing.loads(token, salt=_GUEST_SALT, max_age=_GUEST_SECONDS)
    except signing.BadSignature:
        return None
    return public_id
