"""Somebody of the staff at the pages of the administration, over HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from tertulia.testing.server import Server

from .browser import Answer, Browser

# Accounts of the staff and their sessions: one process makes them all.
_MAKE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Permission
from django.contrib.sessions.backends.db import SessionStore
made = {{}}
for name, rights in json.loads({wanted!r}).items():
    user = get_user_model().objects.create(
        username=name, is_staff=True, is_superuser=rights is None
    )
    for right in rights or []:
        app, _, codename = right.partition(".")
        named = Permission.objects.filter(content_type__app_label=app)
        user.user_permissions.add(*named.filter(codename__startswith=codename))
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    made[name] = session.session_key
print(json.dumps(made))
"""
CHAT = "/admin/tertulia_chat"


class Staff:
    """A signed-in account; `name` is what the chat calls the person."""

    def __init__(self, server: Server, name: str, session: str) -> None:
        self.server = server
        self.name = name
        self.browser = Browser(server.url)
        # The same value in the cookie and in the form is what Django asks for.
        self.csrf = "c" * 32
        self.browser.cookies = {"sessionid": session, "csrftoken": self.csrf}

    @classmethod
    def made(cls, server: Server, wanted: dict[str, list[str] | None]) -> dict[str, Staff]:
        """New accounts: name to the beginnings of permissions; None is a superuser."""
        told = server.shell(_MAKE.format(wanted=json.dumps(wanted)))
        sessions = json.loads(told.strip().splitlines()[-1])
        return {name: cls(server, name, session) for name, session in sessions.items()}

    def get(self, path: str, **options: Any) -> Answer:
        """A page; `path` is below the chat's part of the administration unless it is whole."""
        whole = path if path.startswith("/admin") else f"{CHAT}/{path}"
        return self.browser.request("GET", whole, **options)

    def post(self, path: str, **form: Any) -> Answer:
        """A form, as its page would send it."""
        whole = path if path.startswith("/admin") else f"{CHAT}/{path}"
        return self.browser.request("POST", whole, form={"csrfmiddlewaretoken": self.csrf, **form})

    def find(self, model: str, **query: str) -> int:
        """The primary key of the one thing that the list shows for this query."""
        found = self.found(model, **query)
        assert len(found) == 1, f"{model} {query}: {found}"
        return found[0]

    def found(self, model: str, **query: str) -> list[int]:
        """The primary keys in the list, from top to bottom."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        page = self.get(f"{model}/?{asked}")
        assert page.status == 200, page.status
        rows = page.text.partition('id="result_list"')[2].partition("</table>")[0]
        keys = re.findall(rf'<th class="field-\w+"><a href="{CHAT}/{model}/(\d+)/change/', rows)
        return [int(key) for key in keys]

    def act(self, model: str, key: int, act: str, **said: str) -> Answer:
        """Press the button of an act on the page of a thing, and confirm where that is asked."""
        form = {"action": act, "_selected_action": str(key), "index": "0", "_back": "1", **said}
        page = self.post(f"{model}/", **form)
        if 'name="post"' in page.text:
            del form["index"]
            page = self.post(f"{model}/", **{**form, "post": "yes"})
        return page

    async def acts(self, model: str, key: int, act: str, **said: str) -> Answer:
        """The same beside the sockets of a test."""
        return await asyncio.to_thread(self.act, model, key, act, **said)


def told(page: Answer) -> str:
    """What the page says at its top about what was done, in plain text."""
    found = re.findall(r'<li class="(?:success|error|warning|info)">(.*?)</li>', page.text, re.S)
    return " ".join(re.sub(r"<[^>]+>", "", text).strip() for text in found)
