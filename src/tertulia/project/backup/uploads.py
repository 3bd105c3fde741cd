"""The uploaded files: into a backup, and back into their folder.

A file's name is never used for another content, so files can be put beside those that are in use
before the database is replaced, and those that the backup does not know be taken away after it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from .archive import CHUNK, UPLOADS, Archive, Saved


def names(folder: Path) -> Iterator[str]:
    """All files below a folder, by their path in it."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            yield Path(place, name).relative_to(folder).as_posix()


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
                file = (self._folder / name).open("rb")
            except FileNotFoundError:
                continue
            with file:
                # Pictures are compressed by themselves.
                chunks = iter(partial(file.read, CHUNK), b"")
                self._archive.add(UPLOADS + name, chunks, packed=False)
            self.saved.add(name)


class Putting:
    """Puts the files of a backup into the folder; `undo` takes away what it has put."""

    def __init__(self, folder: Path, saved: Saved) -> None:
        self._folder = folder
        self._saved = saved
        self._put: list[Path] = []
        self._foreign = set(names(folder)) - set(saved.uploads)

    def all(self) -> None:
        """Those that are not there yet, each with all of its content or not at all."""
        for name in self._saved.uploads:
            path = self._folder / name
            if path.exists() and path.stat().st_size == self._saved.parts[UPLOADS + name].size:
                continue
            self._make_folder(path.parent)
            draft = path.with_name(f".{path.name}.restored")
            self._put.append(draft)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in self._saved.chunks(UPLOADS + name):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if not path.exists():
                self._put.append(path)
            draft.replace(path)

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)

    def undo(self) -> None:
        """The old state stays."""
        for path in self._put:
            path.unlink(missing_ok=True)

    def remove_foreign(self) -> None:
        """Take away what was there before and is not in the backup: nobody has it any more."""
        for name in self._foreign:
            _quietly((self._folder / name).unlink)


def _quietly(act: Callable[[], None]) -> None:
    """What is left over harms nobody."""
    try:
        act()
    except OSError:
        return
