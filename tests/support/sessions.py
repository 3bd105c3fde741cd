"""Accounts with a browser each that is signed in: many at the price of one command."""

from __future__ import annotations

import json

from tertulia.testing.server import Server

from .browser import Browser

_CODE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
password = make_password({password!r})
keys = []
for name, flags in {people!r}.items():
    user = get_user_model().objects.create(username=name, password=password, **flags)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""


def signed_in(
    server: Server, password: str, people: dict[str, dict[str, object]]
) -> dict[str, Browser]:
    """Name to browser; the values of `people` are fields of the accounts."""
    printed = server.shell(_CODE.format(password=password, people=people))
    browsers = {}
    for name, key in zip(people, json.loads(printed.strip().splitlines()[-1]), strict=True):
        browser = browsers[name] = Browser(server.url)
        browser.cookies["sessionid"] = key
        # A page with a form brings the other cookie.
        assert browser.get("/chat/-/settings/").status == 200
    return browsers
