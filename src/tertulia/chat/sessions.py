"""Who is signed in, as far as Django's sessions tell, and ending all sessions of somebody.

A session is a signed row that names its user only inside. So the rows are read; that works with
the engines that keep them in the database (`db`, `cached_db`), and with no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

# Sessions that are looked at for a list, those that last longest first.
LOOKED_AT = 20_000


class Live(NamedTuple):
    """A session that has not ended: its key, whose it is, and what its password must fit."""

    key: str
    user_id: str
    auth_hash: str
    ends: datetime


class SignedIn(NamedTuple):
    """Somebody with sessions that hold: how many, and when the last of them ends."""

    user: Any
    sessions: int
    ends: datetime


def store() -> type[DatabaseStore] | None:
    """The engine's class, if its sessions can be listed."""
    engine = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    return engine if issubclass(engine, DatabaseStore) else None


def _live(engine: type[DatabaseStore], most: int | None = None) -> Iterator[Live]:
    """Sessions of accounts; those of guests are passed over."""
    rows = engine.get_model_class()._default_manager.filter(expire_date__gt=timezone.now())
    rows = rows.order_by("-expire_date")[:most]
    decode = engine().decode
    for key, data, ends in rows.values_list(
        "session_key", "session_data", "expire_date"
    ).iterator():
        told = decode(data)
        if SESSION_KEY in told and BACKEND_SESSION_KEY in told:
            yield Live(key, str(told[SESSION_KEY]), told.get(HASH_SESSION_KEY, ""), ends)


def signed_in() -> list[SignedIn]:
    """The accounts with sessions that hold, by name. Empty where sessions cannot be listed."""
    engine = store()
    if engine is None:
        return []
    by_user: dict[str, list[Live]] = {}
    for session in _live(engine, LOOKED_AT):
        by_user.setdefault(session.user_id, []).append(session)
    found = []
    for user in _users(list(by_user)):
        holding = [s for s in by_user[str(user.pk)] if _holds(s, user)]
        if holding:
            found.append(SignedIn(user, len(holding), max(s.ends for s in holding)))
    return sorted(found, key=lambda one: one.user.get_username().casefold())


def _users(ids: list[str]) -> Iterator[Any]:
    model = get_user_model()
    for start in range(0, len(ids), 500):
        yield from model._default_manager.filter(pk__in=ids[start : start + 500]).select_related(
            "participant"
        )


def _holds(session: Live, user: Any) -> bool:
    """Whether the session still signs in: another password ends it, and so does deactivation."""
    if not user.is_active:
        return False
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.auth_hash, known) for known in hashes)


def end_sessions(user_id: Any) -> int:
    """Delete all sessions of an account; how many there were. Needs a `store()`."""
    engine = store()
    assert engine is not None
    ended = [session.key for session in _live(engine) if session.user_id == str(user_id)]
    for key in ended:
        engine(key).delete()
    return len(ended)
