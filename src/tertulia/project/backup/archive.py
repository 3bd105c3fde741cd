"""The file: a zip archive of parts, and a manifest that says what they are.

`tables/NAME` holds the rows of a table as PostgreSQL's COPY writes them, values as SQLite keeps
them (see `values.py`); `uploads/…` the files; `secret-key` the key that sessions and links are
signed with, where it was the data folder's own. `manifest.json` comes last, and with it the file is
whole.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Annotated

import msgspec

FORMAT = 1
MANIFEST = "manifest.json"
TABLES = "tables/"
UPLOADS = "uploads/"
KEY = "secret-key"
CHUNK = 1 << 20
# Bytes: what is held in memory as a whole. A manifest of a million uploads is smaller.
MOST_MANIFEST = 256 << 20
MOST_KEY = 1 << 16

# What reading an archive that is none, or is not ours, raises in zipfile, zlib and msgspec.
_UNREADABLE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    msgspec.MsgspecError,
    EOFError,
    LookupError,
    ValueError,
    RuntimeError,  # NotImplementedError and RecursionError are some
    OverflowError,
)


class BackupError(Exception):
    """It could not be done; the text is one line for the operator."""


class Part(msgspec.Struct):
    """A file in the archive: bytes and SHA-256 of what is in it."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Table(msgspec.Struct):
    """A table: its columns in the order of the rows, and the last id that it handed out."""

    name: str
    columns: list[str]
    rows: int
    # Below what a database can count to, with room for those that are left out.
    last_id: Annotated[int, msgspec.Meta(ge=0, le=1 << 62)] | None = None


class Manifest(msgspec.Struct):
    """What the file holds. `made` is RFC 3339 in UTC; `heads` are by the rooms' slugs."""

    format: int
    made: str
    version: str
    database: str
    epoch: str | None
    migrations: list[tuple[str, str]]
    tables: list[Table]
    heads: dict[str, int]
    parts: list[Part]


class _Kind(msgspec.Struct):
    """The beginning of any manifest, also of one that this version does not read."""

    format: int
    version: str = "of another version"


class Archive:
    """A new file, being written to `file`, which need not be able to seek."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self.parts: list[Part] = []

    def add(self, name: str, chunks: Iterable[bytes], *, packed: bool = True) -> None:
        """Write a part; `packed` says that compressing it again would gain something."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as part:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                part.write(chunk)
        self.parts.append(Part(name, size, digest.hexdigest()))

    def abandon(self) -> None:
        """It failed: nothing more is to be written, not even an end."""
        self._zip.fp = None

    def close(self, manifest: Manifest) -> None:
        """The manifest, and the end."""
        text = json.dumps(msgspec.to_builtins(manifest), indent=1, ensure_ascii=False).encode()
        if len(text) > MOST_MANIFEST:
            raise BackupError("there are more uploads and rooms than a backup can name")
        self._zip.writestr(MANIFEST, text)
        self._zip.close()


class Saved:
    """A backup that is read. Raises BackupError for a file that is none, or damaged."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._name = name
        with self._understood():
            self._zip = zipfile.ZipFile(file)
            text = self._manifest()
            kind = msgspec.json.decode(text, type=_Kind)
            if kind.format != FORMAT:
                raise BackupError(
                    f"{name} has format {kind.format}, which this version does not read:"
                    f" restore it with Tertulia {kind.version}"
                )
            self.manifest = msgspec.json.decode(text, type=Manifest)
        self.parts = {part.name: part for part in self.manifest.parts}
        if set(self.parts) | {MANIFEST} != set(self._zip.namelist()):
            raise BackupError(f"{name} is damaged: its parts are not those that it names")

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except _UNREADABLE as error:
            raise BackupError(f"{self._name} is no whole backup ({error})") from error

    def _manifest(self) -> bytes:
        with self._open(MANIFEST) as file:
            text = file.read(MOST_MANIFEST + 1)
        if len(text) > MOST_MANIFEST:
            raise BackupError(f"{self._name} is no backup: its manifest is too large")
        return text

    def _open(self, part: str) -> IO[bytes]:
        """zipfile reads more than was ever written here: encrypted parts, other compression."""
        info = self._zip.getinfo(part)
        plain = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        if info.flag_bits & 1 or not plain:
            raise BackupError(f"{self._name} is no backup: {part} is packed as none of ours is")
        return self._zip.open(info)

    def verify(self) -> None:
        """Read everything and compare it with the manifest."""
        for part in self.parts.values():
            _check_name(self._name, part.name)
            digest, size = hashlib.sha256(), 0
            for chunk in self.chunks(part.name):
                digest.update(chunk)
                size += len(chunk)
            if (size, digest.hexdigest()) != (part.size, part.sha256):
                raise BackupError(f"{self._name} is damaged: {part.name} is not what was saved")
        names = [table.name for table in self.manifest.tables]
        for name in names:
            if TABLES + name not in self.parts:
                raise BackupError(f"{self._name} is damaged: the table {name} is missing")
        if len(names) != len(set(names)):
            raise BackupError(f"{self._name} is damaged: it names a table twice")

    def chunks(self, part: str) -> Iterator[bytes]:
        """A part's bytes, and no more of them than the manifest says."""
        left = self.parts[part].size
        try:
            with self._open(part) as file:
                while chunk := file.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise BackupError(f"{self._name} is damaged: {part} is too long")
                    yield chunk
        except _UNREADABLE as error:
            raise BackupError(f"{self._name} is damaged: {part} cannot be read") from error

    @property
    def uploads(self) -> list[str]:
        """Names of the files below the folder of uploads."""
        return [name.removeprefix(UPLOADS) for name in self.parts if name.startswith(UPLOADS)]

    @property
    def key(self) -> str | None:
        """The secret key, if the backup holds one."""
        if KEY not in self.parts:
            return None
        try:
            if self.parts[KEY].size > MOST_KEY:
                raise ValueError
            key = b"".join(self.chunks(KEY)).decode().strip()
        except ValueError:
            key = ""
        if not key:
            raise BackupError(f"{self._name} is damaged: its secret key is none")
        return key


def _check_name(archive: str, name: str) -> None:
    """Nothing in a backup is ever written outside of the folder that it belongs to."""
    path = PurePosixPath(name)
    plain = not path.is_absolute() and ".." not in path.parts and str(path) == name
    known = name == KEY or name.startswith((TABLES, UPLOADS))
    if not plain or not known or "\\" in name or "\0" in name:
        raise BackupError(f"{archive} is damaged: it has no place for a part {name!r}")
