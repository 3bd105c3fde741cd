"""What a word is: the same for the texts that are searched and for what is searched for.

Texts are cut into runs of letters and digits, and single symbols such as emoji. A run is folded as
names are, and loses its accents. Of scripts that are written without spaces each letter is kept
with the one that follows it, so that any part of a sentence is found by its beginning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from tertulia.chat.slugs import fold

# Code points of a word: a longer one is cut into several, in texts and queries alike.
LONGEST = 64

# Thai, Lao, Burmese, Khmer, Kana, Bopomofo and Han, as they are written and halved in width.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
# What accents, and Arabic and Hebrew vowel points, are when they are taken apart; the page's own
# search in lists leaves out the same ones.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]")
_ASCII_WORD = re.compile(f"[a-z0-9]{{1,{LONGEST}}}")
# In a text of kinds, see `_Kinds`: a word, a run without spaces, or a symbol by itself. What is
# longer than any word is cut, and no letter has more than so many marks: to put thousands of them
# into order takes their square.
_RUN = re.compile(f"(?:wm{{0,30}}){{1,{LONGEST}}}|(?:um{{0,30}})+|s")
# A single letter can be folded into eighteen.
_FOLDED = 4 * LONGEST


class Piece(NamedTuple):
    """A place in a text, by code points, and the word that begins there."""

    start: int
    end: int
    word: str


class _Kinds(dict[int, str]):
    """For `str.translate`: each code point becomes one letter that says what it is.

    `w` letter or digit, `u` one of a script without spaces, `m` mark, `s` symbol, else a space.
    What was seen is kept, but for the rare planes, of which there is a million.
    """

    def __missing__(self, point: int) -> str:
        kind = _kind(chr(point))
        if point < 0x20000:
            self[point] = kind
        return kind


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] in "LN":
        return "u" if _UNSPACED.match(char) else "w"
    if category[0] == "M":
        return "m"
    return "s" if category == "So" else " "


_kinds = _Kinds()


def words_of(text: str) -> str:
    """The words of a text, each once, with a space between: what is kept to be searched."""
    if text.isascii():
        words = set(_ASCII_WORD.findall(text.lower()))
    else:
        written = {text[start:end] for start, end in _runs(text)}
        words = {word for each in written for run in _inner(_folded(each)) for word in _kept(run)}
    return " ".join(sorted(words))


def wanted(query: str) -> list[str]:
    """What a query asks for: beginnings of words, all of which have to be there."""
    asked: dict[str, None] = {}
    for start, end in _runs(query):
        for run in _inner(_folded(query[start:end])):
            words = _kept(run)
            # The last letter of a run without spaces is the second of the pair before it.
            several = len(words) > 1
            asked |= dict.fromkeys(words[:-1] if several else words)
    return list(asked)


def pieces(text: str) -> Iterator[Piece]:
    """The words of a text with their places, in order."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield Piece(found.start(), found.end(), found[0])
        return
    for start, end in _runs(text):
        written = text[start:end]
        folded = _folded(written)
        places = _places(written, folded)
        for first, last in _runs(folded):
            words = _kept(folded[first:last])
            for at, word in enumerate(words):
                if len(words) == 1 or not places:
                    yield Piece(start, end, word)
                else:
                    to = min(first + at + 1, last - 1)
                    yield Piece(start + places[first + at], start + places[to] + 1, word)


def _runs(text: str) -> list[tuple[int, int]]:
    return [found.span() for found in _RUN.finditer(text.translate(_kinds))]


def _inner(folded: str) -> list[str]:
    """A run that was folded: one may have become several, such as a fraction."""
    return [folded[start:end] for start, end in _runs(folded)]


def _kept(run: str) -> list[str]:
    """A folded run as it is kept: itself, or each of its letters with the next."""
    if not _UNSPACED.match(run):
        return [run[:LONGEST]]
    return [run[at : at + 2] for at in range(len(run))]


def _folded(written: str) -> str:
    """As names are folded, and without accents."""
    if written.isascii():
        return written.lower()
    apart = unicodedata.normalize("NFD", fold(written))
    together = unicodedata.normalize("NFC", _ACCENTS.sub("", apart))
    return together if _UNSPACED.match(written) else together[:_FOLDED]


def _places(written: str, folded: str) -> list[int]:
    """Where each code point of the folded run stood; empty where that cannot be told, or where
    the run is one word anyway."""
    if folded == written:
        return list(range(len(folded)))
    if not _UNSPACED.search(folded):
        return []
    each = [_folded(char) for char in written]
    if "".join(each) != folded:
        return []
    return [at for at, part in enumerate(each) for _ in part]


def answers(text: str, asked: list[str]) -> bool:
    """Whether all that a query asks for begins words of this text."""
    words = words_of(text).split()
    return all(any(word.startswith(one) for word in words) for one in asked)


class Hit(NamedTuple):
    """From where to where in a text, by code points, and which word of the query is there."""

    start: int
    end: int
    word: str


def hits(text: str, asked: list[str]) -> Iterator[Hit]:
    """The places of a text that answer a query, in order."""
    by_letter: dict[str, list[str]] = {}
    # Of several that fit the longest.
    for word in sorted(asked, key=len, reverse=True):
        by_letter.setdefault(word[0], []).append(word)
    for piece in pieces(text):
        for word in by_letter.get(piece.word[0], ()):
            if piece.word.startswith(word):
                yield Hit(piece.start, _end(piece, word), word)
                break


def _end(piece: Piece, word: str) -> int:
    """Of two letters without a space between, only the first where no more was asked."""
    pair = piece.end - piece.start == len(piece.word) == 2 and _UNSPACED.match(piece.word)
    return piece.start + 1 if pair and len(word) == 1 else piece.end
