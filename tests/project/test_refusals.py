"""With a key, settings or a password that everybody knows the server does not start."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tertulia.project.safety.keys import default, weakness
from tertulia.project.safety.passwords import is_well_known
from tertulia.testing.processes import free_port
from tertulia.testing.server import Server, clean_environment

from .conftest import Run, check_refused

GOOD = "a quiet warm room"
SET_PASSWORD = (
    "from django.contrib.auth.models import User;"
    "u = User.objects.get(username='root'); u.set_password({!r}); u.save()"
)


@pytest.mark.parametrize(
    "key",
    [
        "changeme",
        "secret",
        "django-insecure-" + secrets.token_urlsafe(40),
        "Change-Me-" + secrets.token_urlsafe(40),
        "your-secret-key-of-at-least-fifty-characters-goes-here",
        secrets.token_hex(15),
        "a" * 64,
        "abcdefghij" * 6,
        "01" * 32,
    ],
)
def test_a_known_short_or_repetitive_key_is_weak(key: str) -> None:
    assert weakness(key)


@pytest.mark.parametrize(
    "key", [secrets.token_urlsafe(48), secrets.token_hex(16), secrets.token_hex(32)]
)
def test_a_random_key_will_do(key: str) -> None:
    assert weakness(key) is None


@pytest.mark.parametrize("key", ["", "0123", "secret-key-1", "Tertulia", "django-insecure-x" * 4])
def test_nobody_serves_with_a_key_that_anybody_would_try(key: str) -> None:
    assert default(key)


@pytest.mark.parametrize("key", ["k" * 50, "tertulia-" + secrets.token_hex(8)])
def test_what_is_only_weak_is_for_the_doctor(key: str) -> None:
    assert default(key) is None
    assert weakness(key)


def test_a_weak_key_is_refused_wherever_it_stands(run: Run, tmp_path: Path) -> None:
    done = run("serve", "--port", "0", TERTULIA_SECRET_KEY="changeme")
    check_refused(done, "secret key", "TERTULIA_SECRET_KEY", "openssl rand")
    assert "changeme" not in done.stderr
    key = tmp_path / "key"
    key.write_text("only-short\n")
    done = run("serve", "--port", "0", TERTULIA_SECRET_KEY_FILE=str(key))
    check_refused(done, str(key), "10 characters")
    assert not (tmp_path / "data").exists()


def test_other_passwords_that_everybody_tries() -> None:
    for password in ("changeme", "password", "tertulia", "root", "root123"):
        assert is_well_known(password, "root")
    assert not is_well_known(GOOD, "root")


def put_settings(folder: Path, text: str) -> dict[str, str]:
    """Settings in place of the site's own; the environment that names them."""
    (folder / "replaced.py").write_text(f"from tertulia.project.settings import *\n{text}\n")
    return {"DJANGO_SETTINGS_MODULE": "replaced", "PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("DEBUG = True", "DEBUG"),
        ("ALLOWED_HOSTS = ['*']", "ALLOWED_HOSTS"),
        ("SECRET_KEY = 'django-insecure-' + 'abc' * 20", "SECRET_KEY"),
    ],
)
def test_replaced_settings_that_show_or_trust_too_much_are_refused(
    run: Run, tmp_path: Path, text: str, word: str
) -> None:
    env = put_settings(tmp_path, text)
    check_refused(run("serve", "--port", "0", **env), word, "replaced")


def start(kind: str, server: Server) -> subprocess.CompletedProcess[str]:
    """The ASGI application under a server that is not ours, which must end by itself."""
    port = str(free_port())
    application = "tertulia.project.asgi:application"
    command = {
        "uvicorn": ["uvicorn", application, "--port", port, "--log-level", "warning"],
        "daphne": ["daphne", "-p", port, application],
    }[kind]
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=clean_environment(**server.env),
        cwd=server.data,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_an_administrator_with_a_known_password_keeps_every_server_from_starting(
    tmp_path: Path,
) -> None:
    server = Server()
    memory = server.data / "proved-passwords"
    try:
        server.createuser("root", admin=True, password=GOOD)
        # A password that came through a door of ours needs no proof later.
        encoded = server.shell(
            "from django.contrib.auth.models import User; print(User.objects.get().password)"
        ).split()[-1]
        assert memory.read_text().split() == [hashlib.sha256(encoded.encode()).hexdigest()]
        assert memory.stat().st_mode & 0o777 == 0o600

        # His own name; proving a password is slow, and it is the first that is tried.
        server.shell(SET_PASSWORD.format("root"))
        check_refused(server.cli("serve", "--port", "0"), "root", "changepassword")
        for kind in ("uvicorn", "daphne"):
            check_refused(start(kind, server), "root", "changepassword")
        done = server.cli("createuser", "eve", "--password-stdin", stdin="changeme\n")
        check_refused(done, "password")
        assert memory.read_text() == ""

        server.shell(SET_PASSWORD.format("another quiet warm room"))
        server.start()
        server.terminate()
        assert len(memory.read_text().split()) == 1
    finally:
        server.remove()
