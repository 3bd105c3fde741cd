"""System checks, as a host project sees them."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "tertulia.chat"],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:",
                             "OPTIONS": {{"transaction_mode": "IMMEDIATE"}}}}}},
    {more}
)
django.setup()
from django.core.checks import run_checks
print(*(message.id for message in run_checks()))
"""


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ("MEDIA_ROOT='/srv/media'", []),
        ("", ["tertulia.W002"]),
        (
            "STORAGES={'default': {'BACKEND': 'django.core.files.storage.InMemoryStorage'},"
            " 'staticfiles': {'BACKEND': 'django.core.files.storage.InMemoryStorage'}}",
            [],
        ),
        ("MEDIA_ROOT='/srv/media', TERTULIA={'OPNE': True}", ["tertulia.E002"]),
    ],
)
def test_what_a_host_is_told(more: str, found: list[str]) -> None:
    program = PROGRAM.format(more=more)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [word for word in done.stdout.split() if word.startswith("tertulia.")] == found


def test_an_sqlite_that_is_too_old_is_named() -> None:
    old = "import sqlite3\nsqlite3.sqlite_version_info = (3, 32, 0)\n"
    program = old + PROGRAM.format(more="MEDIA_ROOT='/srv/media'")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["tertulia.E005"]
