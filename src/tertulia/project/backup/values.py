"""How a value stands in a backup.

A row is a line, its values are parted by tabs, `\\N` is NULL, and a backslash stands before what
would break that: the text format of PostgreSQL's COPY. A value is written as SQLite keeps it: a
time in UTC without a zone, a UUID as 32 digits, true and false as 1 and 0, JSON as its text.
PostgreSQL reads all of these, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .archive import BackupError

# Bytes of a row, far above what any table of ours can have in one.
LONGEST = 64 << 20

_SPECIAL = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\\": "\\"}
_ESCAPED = re.compile(r"\\(.)")

Row = list[str | None]


def rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a table, each value as a text or None."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        if len(rest) > LONGEST:
            raise BackupError("a row of the backup is too long")
        for line in lines:
            yield _row(_text(line))
    if rest:
        raise BackupError("the last row of a table in the backup has no end")


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise BackupError("a row of the backup is no text") from error


def _row(line: str) -> Row:
    values = line.split("\t")
    return [_plain(value) for value in values] if "\\" in line else list(values)


def _plain(value: str) -> str | None:
    if value == "\\N":
        return None
    return _ESCAPED.sub(_meant, value) if "\\" in value else value


def _meant(escaped: re.Match[str]) -> str:
    return _SPECIAL.get(escaped[1], escaped[1])
