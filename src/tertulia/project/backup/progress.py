"""What the operator sees of a backup or restore: how far it is, and in one line why it failed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from tertulia.project import startup
from tertulia.project.environment import Environment

from .archive import BackupError

# Seconds between two lines.
PACE = 2.0


class Progress:
    """Lines on standard error while it takes long."""

    def __init__(self, done: str) -> None:
        self._done = done
        self._bytes = 0
        self._due: float | None = None
        self.files = 0

    def watched(self, chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
        """The same chunks, counted."""
        for chunk in chunks:
            self._bytes += len(chunk)
            if self._due is None:
                self._due = time.monotonic() + PACE
            elif time.monotonic() >= self._due:
                self._due = time.monotonic() + PACE
                self.say(f"{self._bytes / 1e6:.0f} MB {self._done} ({name})")
            yield chunk

    @staticmethod
    def say(text: str) -> None:
        """A line; the terminal may have gone meanwhile, and nothing ends because of that."""
        with suppress(OSError):
            print(text, file=sys.stderr, flush=True)


def many(count: int, one: str, several: str = "") -> str:
    """A number and its noun."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def step_back() -> None:
    """Servers on this machine come first."""
    with suppress(OSError):
        os.nice(5)


class Calls:
    """Signals that ask this process to end: at once, or when it asks for them."""

    def __init__(self) -> None:
        self._held = False
        self._heard: int | None = None

    def hold(self) -> None:
        """From now on they wait for `look`: what follows is not to end half way."""
        self._held = True

    def look(self) -> None:
        """End, if one has come meanwhile."""
        if self._heard is not None:
            _leave(self._heard)

    def heard(self, number: int, _: object) -> None:
        """The signals' handler."""
        if not self._held:
            _leave(number)
        self._heard = number


def _leave(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


@contextmanager
def tidy() -> Iterator[Calls]:
    """Who ends this lets it clear up behind itself."""
    calls = Calls()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup does
            signal.signal(number, calls.heard)
    yield calls


@contextmanager
def failures(env: Environment) -> Iterator[None]:
    """What fails on the way, in one line."""
    from django.db import Error

    try:
        yield
    except BrokenPipeError as error:
        raise BackupError("whoever was to read it has gone") from error
    except OSError as error:
        raise BackupError(what_failed(error)) from error
    except Error as error:
        raise BackupError(str(startup.database_refused(env, error))) from error
    except startup_errors() as error:
        raise BackupError(str(startup.database_refused(env, error))) from error


def what_failed(error: OSError) -> str:
    """The file, where there is one, and the reason."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def startup_errors() -> tuple[type[Exception], ...]:
    """The errors of the drivers themselves, which rows pass by without Django."""
    import sqlite3

    errors: list[type[Exception]] = [sqlite3.Error]
    if "psycopg" in sys.modules:
        errors.append(sys.modules["psycopg"].Error)
    return tuple(errors)
