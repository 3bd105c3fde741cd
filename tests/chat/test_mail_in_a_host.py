"""Invitations by mail in a project that has the chat app alone, and a mail backend of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

# A project without Tertulia's middleware, its accounts or an ASGI server: a client of Django's
# own asks through WSGI. It prints what it was told and what was sent.
PROGRAM = """
import json
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["testserver"], ROOT_URLCONF="urls", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "tertulia.chat"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                 "OPTIONS": {{"context_processors":
                              ["django.template.context_processors.request"]}}}}],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{file}",
                             "OPTIONS": {{"transaction_mode": "IMMEDIATE"}}}}}},
    MEDIA_ROOT="{file}-media", EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    LOGIN_URL="/sign-in/",
    {more}
)
import sys, types
django.setup()
from django.urls import include, path
sys.modules["urls"] = types.ModuleType("urls")
sys.modules["urls"].newcomers = lambda request: lambda invitation, path: "/sign-up/?next=" + path
sys.modules["urls"].urlpatterns = [path("talk/", include("tertulia.chat.urls"))]
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.test import Client
from tertulia.chat import open_room
call_command("migrate", verbosity=0)
mail.outbox = []
ana = User.objects.create_user("ana")
open_room("tea", name="Tea", owner=ana)
def ask(who):
    client = Client()
    if who is not None:
        client.force_login(who)
    path = "/talk/-/rooms/tea/invitations/"
    form = client.get(path)
    told = client.post(path + "mail/", '{{"addresses": "bea@example.org"}}', "application/json")
    return [form.json().get("mail"), told.status_code, told.json()]
print(json.dumps({{"ana": ask(ana), "nobody": ask(None), "mails": [
    [m.from_email, m.to, m.subject, m.body, m.extra_headers["Message-ID"]] for m in mail.outbox]}}))
"""


def host(tmp_path: Any, more: str) -> dict[str, Any]:
    program = PROGRAM.format(more=more, file=tmp_path / "host.sqlite3")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_project_that_says_who_sends_its_mails_sends_invitations(tmp_path: Any) -> None:
    told = host(tmp_path, "DEFAULT_FROM_EMAIL='us@example.com', TERTULIA={'OPEN': True}")
    form, status, outcome = told["ana"]
    assert form["newcomers"] is None
    assert (status, outcome["sent"]) == (200, ["bea@example.org"])
    ((sender, to, subject, body, message_id),) = told["mails"]
    assert (sender, to) == ("us@example.com", ["bea@example.org"])
    assert subject == "ana invites you to “Tea”"
    assert "http://testserver/talk/-/invitation/" in body
    assert "account" not in body
    assert message_id.endswith("@testserver>")
    # Guests are admitted here, and send nothing.
    assert told["nobody"][:2] == [None, 403]


def test_a_project_leads_people_through_its_own_sign_up(tmp_path: Any) -> None:
    told = host(tmp_path, "TERTULIA={'INVITE_BY_MAIL': True, 'NEWCOMERS': 'urls.newcomers'}")
    assert told["ana"][0]["newcomers"] is True
    ((_sender, _to, _subject, body, _id),) = told["mails"]
    assert "http://testserver/sign-up/?next=/talk/-/invitation/" in body
    assert "leads you to making one" in body


@pytest.mark.parametrize(
    "more", ["", "DEFAULT_FROM_EMAIL='us@example.com', TERTULIA={'INVITE_BY_MAIL': False}"]
)
def test_else_nothing_is_offered(tmp_path: Any, more: str) -> None:
    told = host(tmp_path, more)
    assert told["ana"][:2] == [None, 403]
    assert told["nobody"][1] == 401
    assert told["mails"] == []
