"""Who is signed in, as far as Django's sessions tell, and ending all sessions of somebody.

A session is a signed row that names its user only inside. So the rows are read; that works with
the engines that keep them in the database (`db`, `cached_db`), and with no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import caches
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

from .slugs import fold

# Sessions that are looked at for a list, those that last longest first.
LOOKED_AT = 20_000
# Rows that one statement names.
_CHUNK = 500


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


def signed_in(name: str = "") -> list[SignedIn]:
    """The accounts with sessions that hold, in the order of their names; with `name` those that
    have it in theirs. Empty where sessions cannot be listed."""
    engine = store()
    if engine is None:
        return []
    by_user: dict[str, list[Live]] = {}
    for session in _live(engine, LOOKED_AT):
        by_user.setdefault(session.user_id, []).append(session)
    found = []
    for user in _users(list(by_user), name):
        holding = [s for s in by_user[str(user.pk)] if _holds(s, user)]
        if holding:
            found.append(SignedIn(user, len(holding), max(s.ends for s in holding)))
    return sorted(found, key=lambda one: one.user.get_username().casefold())


def _users(ids: list[str], name: str) -> Iterator[Any]:
    model: Any = get_user_model()
    users = model._default_manager.select_related("participant")
    if name:
        in_account = Q(**{f"{model.USERNAME_FIELD}__icontains": name})
        users = users.filter(in_account | Q(participant__name_fold__contains=fold(name)))
    for some in _chunks(ids):
        yield from users.filter(pk__in=some)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _holds(session: Live, user: Any) -> bool:
    """Whether the session still signs in: another password ends it, and so does deactivation."""
    if not user.is_active:
        return False
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.auth_hash, known) for known in hashes)


def keys_of(user_ids: Iterable[Any]) -> dict[str, list[str]]:
    """The keys of all sessions of these accounts, by the id as text. Needs a `store()`.

    It reads every session of the site, which may take a second: so once for all accounts, and
    never in a transaction, where nobody could write meanwhile.
    """
    engine = store()
    assert engine is not None
    found: dict[str, list[str]] = {str(user_id): [] for user_id in user_ids}
    for session in _live(engine):
        if session.user_id in found:
            found[session.user_id].append(session.key)
    return found


def end_sessions(keys: list[str]) -> None:
    """Delete these sessions. Needs a `store()`."""
    engine = store()
    assert engine is not None
    if engine.delete not in (DatabaseStore.delete, CachedStore.delete):
        # The host's own engine, which may keep more of a session than its row.
        for key in keys:
            engine(key).delete()
        return
    rows = engine.get_model_class()._default_manager
    for some in _chunks(keys):
        rows.filter(session_key__in=some).delete()
    if issubclass(engine, CachedStore):
        # After the commit: until then a request would put the row back into the cache.
        prefix = engine.cache_key_prefix
        cached = [prefix + key for key in keys]
        transaction.on_commit(lambda: caches[settings.SESSION_CACHE_ALIAS].delete_many(cached))
