"""The uploaded files: into a backup, and back into their folder.

A file's name is never used for another content, so files can be put beside those that are in use
before the database is replaced. What the backup knows otherwise, or not at all, is touched only
after that.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from .archive import CHUNK, UPLOADS, Archive, Saved

# Ends the names of files that a restore is preparing.
_DRAFT = ".restored"


def names(folder: Path) -> Iterator[str]:
    """All files below a folder, by their path in it, but for what a restore was preparing."""
    return (name for name in _walk(folder) if not _is_draft(name))


def _walk(folder: Path, place: str = "", above: tuple[Any, ...] = ()) -> Iterator[str]:
    """All files below `place`, also behind links. Raises OSError for what cannot be read."""
    here = folder / place
    try:
        found, entries = os.stat(here), sorted(os.listdir(here))
    except FileNotFoundError:  # it comes with the first upload, or has gone
        return
    inside = (*above, (found.st_dev, found.st_ino))
    if inside[-1] in above:  # links lead in a circle
        return
    for entry in entries:
        if os.path.isdir(here / entry):
            yield from _walk(folder, f"{place}{entry}/", inside)
        else:
            yield place + entry


def _is_draft(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last.startswith(".") and last.endswith(_DRAFT)


def sync_folder(folder: Path) -> None:
    """What was named in it outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Saving:
    """Puts files into a backup, each once."""

    def __init__(self, folder: Path, archive: Archive) -> None:
        self._folder = folder
        self._archive = archive
        self.saved: set[str] = set()

    def all(self) -> None:
        """Those that are not in the backup yet. One that goes away meanwhile is left out."""
        for name in names(self._folder):
            if name in self.saved:
                continue
            try:
                # Without waiting for somebody who writes, where it is no file but a pipe.
                file = open(self._folder / name, "rb", opener=_without_waiting)  # noqa: SIM115
            except FileNotFoundError:
                continue
            with file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    continue
                # Pictures are compressed by themselves.
                chunks = iter(partial(file.read, CHUNK), b"")
                self._archive.add(UPLOADS + name, chunks, packed=False)
            self.saved.add(name)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


class Putting:
    """Puts the files of a backup into the folder: `all`, then either `undo` or `finish`."""

    def __init__(self, folder: Path, saved: Saved) -> None:
        self._folder = folder
        self._saved = saved
        # What `undo` takes away, and drafts of those that are there with another content.
        self._put: list[Path] = []
        self._other: list[tuple[Path, Path]] = []
        self._touched: set[Path] = set()
        self._foreign = set(names(folder)) - set(saved.uploads)

    def all(self) -> None:
        """Those that are not there yet, each with all of its content or not at all."""
        self._remove_leftovers()
        for name in self._saved.uploads:
            path = self._folder / name
            there = path.exists()
            if there and _is_same(path, self._saved.parts[UPLOADS + name].sha256):
                continue
            draft = self._prepare(path, name)
            if there:
                self._other.append((draft, path))
            else:
                self._put.append(path)
                draft.replace(path)
        self._sync()

    def _remove_leftovers(self) -> None:
        """What a restore has left that was killed."""
        for name in list(_walk(self._folder)):
            if _is_draft(name):
                (self._folder / name).unlink(missing_ok=True)

    def _prepare(self, path: Path, name: str) -> Path:
        self._make_folder(path.parent)
        self._touched.add(path.parent)
        draft = path.with_name(f".{path.name}{_DRAFT}")
        self._put.append(draft)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in self._saved.chunks(UPLOADS + name):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        return draft

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._touched.add(folder.parent)

    def _sync(self) -> None:
        for folder in self._touched:
            sync_folder(folder)

    def undo(self) -> None:
        """The old state stays."""
        for path in self._put:
            with suppress(OSError):  # what is left over harms nobody
                path.unlink(missing_ok=True)

    def finish(self) -> None:
        """Behind the database: put the others in place, and take away what the backup does not
        know; nobody has it any more."""
        for draft, path in self._other:
            draft.replace(path)
        self._sync()
        for name in self._foreign:
            with suppress(OSError):
                (self._folder / name).unlink()


def _is_same(path: Path, sha256: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
