"""The example that is the tutorial's chat, run by its own command with a data folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tertulia.testing.processes import Process
from tertulia.testing.server import Server, clean_environment
from tests import ROOT

EXAMPLE = ROOT / "examples" / "tutorial"

# Accounts of a project of the tutorial's kind, and a session for each.
ENROL = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
sessions = {}
for name, staff in %r.items():
    users = get_user_model().objects
    user = (users.create_superuser if staff else users.create_user)(name, password=%r)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    sessions[name] = "sessionid=" + session.session_key
print(json.dumps(sessions))
"""
PASSWORD = "a quiet warm room"


def manage(folder: Path, data: Path, *arguments: str, **env: str) -> str:
    """`manage.py ARGUMENTS` of a project in `folder`; its output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=clean_environment(TUTORIAL_DATA=str(data), **env),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def enrol(folder: Path, data: Path, people: dict[str, bool]) -> dict[str, str]:
    """Accounts by these names, superusers where true; name to Cookie header."""
    said = manage(folder, data, "shell", "-c", ENROL % (people, PASSWORD))
    cookies: dict[str, str] = json.loads(said.strip().splitlines()[-1])
    return cookies


class Tutorial(Server):
    """`examples/tutorial/run --port N --data DIR ARGUMENTS`."""

    def start(self, wait: bool = True) -> Tutorial:
        command = [
            *(str(EXAMPLE / "run"), "--port", str(self.port)),
            *("--data", str(self.data), *self.arguments),
        ]
        env = {name: value for name, value in self.env.items() if name != "TERTULIA_DATA"}
        self.process = Process(command, self.log, env=clean_environment(**env), cwd=self.data)
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.remove()
                raise
        return self

    def ready(self) -> bool:
        return self.status("/chat/") == 200

    def manage(self, *arguments: str, **env: str) -> str:
        return manage(EXAMPLE, self.data, *arguments, **env)

    def enrol(self, people: dict[str, bool]) -> dict[str, str]:
        return enrol(EXAMPLE, self.data, people)
