"""Administrators whose password is one that everybody tries first.

Proving a password takes a good part of a second, by design. So it is remembered which of the
administrators' password hashes have been proved, in a file of the data folder that holds
digests of them and nothing else; an ordinary start asks the database one question.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, is_password_usable
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.db.models import Q

from tertulia.project.environment import read

FILE = "proved-passwords"
WELL_KNOWN = (
    *("admin", "administrator", "root", "tertulia", "password", "changeme", "secret"),
    *("letmein", "demo", "test", "123456", "12345678"),
)


def is_well_known(password: str, name: str) -> bool:
    """Whether this password is among those tried for an account of this name."""
    return password in _tried(name)


def proved(*, keep: bool = False) -> dict[str, bool]:
    """Every active administrator by name, and whether his password is none of the well-known.

    With `keep` the good ones are remembered, and those who are no longer are forgotten.
    """
    people = _administrators()
    known = _remembered()
    unknown = [(name, hashed) for name, hashed in people if _digest(hashed) not in known]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(unknown, pool.map(_is_good, unknown), strict=True))
    result = {name: found.get((name, hashed), True) for name, hashed in people}
    if keep and (unknown or known):
        good = {_digest(hashed) for name, hashed in people if result[name]}
        if good != known:
            _write(good)
    return result


def _administrators() -> list[tuple[str, str]]:
    model: Any = get_user_model()
    rows = model._default_manager.filter(
        Q(is_staff=True) | Q(is_superuser=True), is_active=True
    ).values_list(model.USERNAME_FIELD, "password")
    return [(name, hashed) for name, hashed in rows if is_password_usable(hashed) and hashed]


def _is_good(person: tuple[str, str]) -> bool:
    name, hashed = person
    return not any(check_password(password, hashed) for password in _tried(name))


def _tried(name: str) -> list[str]:
    own = (name, name.lower(), name.capitalize(), f"{name}123")
    return list(dict.fromkeys([*own, *WELL_KNOWN]))


class PasswordValidator(CommonPasswordValidator):
    """Refuses what many use, and remembers that an administrator's new password was proved."""

    def password_changed(self, password: str, user: Any = None) -> None:
        """Django calls this with every password that is set and saved, whoever sets it."""
        administers = getattr(user, "is_staff", False) or getattr(user, "is_superuser", False)
        if administers and not is_well_known(password, user.get_username()):
            _write(_remembered() | {_digest(user.password)})


def _digest(hashed: str) -> str:
    return hashlib.sha256(hashed.encode()).hexdigest()


def _file() -> Path:
    return read().data / FILE


def _remembered() -> set[str]:
    with suppress(OSError, UnicodeDecodeError):
        return set(_file().read_text("ascii").split())
    return set()


def _write(digests: Iterable[str]) -> None:
    """It only saves time: where it cannot be written, passwords are proved again."""
    path = _file()
    draft = path.with_name(f"{FILE}.{os.getpid()}.new")
    with suppress(OSError):
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{digest}\n" for digest in sorted(digests))
        draft.replace(path)
