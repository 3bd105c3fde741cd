"""Reading names after an @: the longest that somebody has, of up to five words.

A name may hold spaces and stand before anything, so one @ has several readings: of `@Ana María,
hola` among others `ana maría, hola`, `ana maría,`, `ana maría`, `ana,` and `ana`. Their number
is bounded, and so is the time, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .slugs import fold

# Words of a name; characters of it; marks of a text that are asked for.
WORDS = 5
LENGTH = 150
MARKS = 50
# Signs behind a word that may belong to the sentence: `(Ana María!)…`
_TRAILING = 3

_MARK = re.compile(rf"@([^\s@][^\n@]{{0,{LENGTH - 1}}})")
_WORD = re.compile(r"\S+")
# Where a name without signs ends, as in `@ana's`.
_PLAIN = re.compile(r"[\w.+\-]*")
_BETWEEN = (" ", "\u00a0")


def candidates(text: str) -> set[str]:
    """Folded names after an @, which may or may not be somebody's."""
    names: set[str] = set()
    if "@" in text:
        for number, found in enumerate(_MARK.finditer(text)):
            if number == MARKS:
                break
            names.update(folded for folded, _ in _readings(found[1]))
    return names


def readings(text: str, start: int, end: int) -> Iterator[tuple[str, str]]:
    """Of the @ at `start`: each folded name with how it is written, the longest first."""
    found = _MARK.match(text, start, end)
    if found is not None:
        yield from _readings(found[1])


def _readings(tail: str) -> Iterator[tuple[str, str]]:
    by_word: list[list[int]] = []
    start = 0
    while len(by_word) < WORDS and (word := _WORD.match(tail, start)):
        by_word.append(_ends(tail, start, word.end()))
        start = word.end() + 1
        if tail[word.end() : start] not in _BETWEEN:
            break
    for ends in reversed(by_word):
        for end in ends:
            yield fold(tail[:end]), tail[:end]


def _ends(tail: str, start: int, end: int) -> list[int]:
    """Where a name may end whose last word begins at `start`: furthest first."""
    plain = _PLAIN.match(tail, start, end)
    assert plain is not None
    ends = {end, plain.end(), start + len(plain[0].rstrip(".+-"))}
    for last in range(end - 1, max(start, end - 1 - _TRAILING), -1):
        if tail[last].isalnum():
            break
        ends.add(last)
    return sorted((each for each in ends if each > start), reverse=True)
