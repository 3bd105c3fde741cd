"""Run inside `tertulia manage shell`: what it takes to sign several people out at once.

Printed as JSON: the live sessions before and after, how many were decoded, how many of those in
a transaction, the statements that deleted some, and what a cache in front of them still holds.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

LIST = "/admin/tertulia_chat/participant/"


def sign_in(user: Any, store: Any = SessionStore) -> Any:
    """Another session of this account."""
    session = store()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session


def sign_out(client: Client, people: list[Any]) -> None:
    chosen = [str(user.participant.pk) for user in people]
    form = {"action": "sign_out", "_selected_action": chosen, "index": "0", "post": "yes"}
    answer = client.post(LIST, form)
    assert answer.status_code == 302, answer.status_code


def in_cache(cached: list[CachedStore]) -> int:
    """How many of them the cache still holds."""
    return len(caches["default"].get_many([store.cache_key for store in cached]))


class Decoded:
    """Counts the sessions that are decoded."""

    def __init__(self) -> None:
        self.all = self.while_writing = 0
        self.decode = SessionBase.decode

    def __enter__(self) -> Decoded:
        SessionBase.decode = self.counted(self.decode)  # type: ignore[method-assign]
        return self

    def counted(self, decode: Any) -> Any:
        def count(store: Any, data: str) -> Any:
            self.all += 1
            self.while_writing += connection.in_atomic_block
            return decode(store, data)

        return count

    def __exit__(self, *_: object) -> None:
        SessionBase.decode = self.decode  # type: ignore[method-assign]


def main() -> dict[str, int]:
    users = get_user_model().objects
    root = users.create_superuser("signs-others-out")
    people = [users.create_user(f"signed-out-{n}") for n in range(11)]
    for user in people:
        for _ in range(5):
            sign_in(user)
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(root)
    live = Session.objects.filter(expire_date__gt=timezone.now()).count()
    with Decoded() as looking:
        assert client.get(LIST).status_code == 200
    with Decoded() as decoded, CaptureQueriesContext(connection) as queries:
        sign_out(client, people[:3])
    deletes = [q for q in queries if re.match(r'DELETE FROM "django_session"', q["sql"])]
    left = Session.objects.filter(expire_date__gt=timezone.now()).count()
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cached_db"):
        cached = [sign_in(people[5], CachedStore) for _ in range(2)]
        before = in_cache(cached)
        sign_out(client, [people[5]])
        after = in_cache(cached)
    return {
        "live": live,
        "left": left,
        "decoded": decoded.all,
        "decoded_to_look": looking.all,
        "decoded_while_writing": decoded.while_writing,
        "deletes": len(deletes),
        "cached_before": before,
        "cached_after": after,
    }


print(json.dumps(main()))
