"""A worker's place among the workers of one `tertulia serve`: its number and their folder.

The parent makes a private folder and names it to the workers by the internal variable
TERTULIA_RUN. A worker takes the lowest number whose lock is free; the system frees the lock
when the process dies, so a worker that replaces a dead one has its number.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

VARIABLE = "TERTULIA_RUN"
PREFIX = "tertulia-run-"
PARENT = "parent.lock"


@dataclass(frozen=True)
class Place:
    """`folder` is None where one process does it all."""

    number: int
    folder: Path | None
    lock: int | None = None


ALONE = Place(0, None)
_mine = ALONE


@contextmanager
def run_folder() -> Iterator[Path]:
    """In the parent: a folder (mode 0700) for as long as the workers run.

    Those of parents that were killed are tidied away; theirs are the locks that nobody holds.
    """
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{PARENT}"):
        with suppress(OSError):
            if (descriptor := _locked(old, create=False)) is not None:
                shutil.rmtree(old.parent, ignore_errors=True)
                os.close(descriptor)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _locked(folder / PARENT)
    assert lock is not None
    os.environ[VARIABLE] = str(folder)
    try:
        yield folder
    finally:
        os.environ.pop(VARIABLE, None)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def claim() -> Place:
    """In a worker, once: take a number, for as long as this process lives."""
    global _mine
    named = os.environ.get(VARIABLE)
    if named and _mine is ALONE:
        _mine = _take(Path(named))
    return _mine


def mine() -> Place:
    """This process's place; `ALONE` until one is claimed."""
    return _mine


def _take(folder: Path) -> Place:
    for number in count():
        descriptor = _locked(folder / f"{number}.lock")
        if descriptor is not None:
            return Place(number, folder, descriptor)
    raise AssertionError("numbers do not end")


def _locked(path: Path, *, create: bool = True) -> int | None:
    """The file, with its lock, which ends with this process; None if another one has it."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
