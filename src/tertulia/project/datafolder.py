"""The data folder: made when missing, with the secret key and the lock that guards both."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .environment import Environment, SettingsError

KEY_FILE = "secret-key"
LOCK_FILE = ".lock"


def prepare(env: Environment) -> None:
    """Make the data folder (mode 0700) and, unless one is given, the secret key (0600)."""
    try:
        env.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(env.data):
            if not (env.secret_key or env.secret_key_file or (env.data / KEY_FILE).exists()):
                write_key(env.data / KEY_FILE, secrets.token_urlsafe(48))
    except OSError as error:
        raise SettingsError(
            f"cannot write to the data folder {env.data}: {error.strerror or error}"
        ) from error


def secret_key(env: Environment) -> str:
    """The signing key. Where none was made yet it is a passing one, good for this process only."""
    if env.secret_key:
        return env.secret_key
    path = env.secret_key_file or env.data / KEY_FILE
    try:
        key = path.read_text("utf-8").strip()
    except FileNotFoundError as error:
        if env.secret_key_file:
            raise SettingsError(f"there is no TERTULIA_SECRET_KEY_FILE {path}") from error
        return secrets.token_urlsafe(48)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"cannot read the secret key in {path}: {reason}") from error
    if not key:
        raise SettingsError(f"the secret key in {path} is empty")
    return key


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when the process dies."""
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_key(path: Path, key: str) -> None:
    """Write a key so that a reader, or a power cut, finds all of it or no file."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
