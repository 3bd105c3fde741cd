"""The part of a text that shows why it was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from tertulia.protocol.events import Snippet

from .words import Hit, hits

# Code points of a part that is shown, and of these the most that stand before its first hit.
SHOWN = 200
BEFORE = 60
# Hits that are looked at for the place in which most of the words stand together.
LOOKED_AT = 200
CUT = "…"
_SPACE = re.compile(r"\s+")


def snippet(text: str, asked: list[str]) -> Snippet:
    """At most 200 code points on one line, where most of the words are; `marks` are the hits."""
    line = _SPACE.sub(" ", text).strip()
    found = list(islice(hits(line, asked), LOOKED_AT))
    start, end = (0, len(line)) if len(line) <= SHOWN else _window(line, found)
    before, after = CUT if start else "", CUT if end < len(line) else ""
    shift = len(before) - start
    marks = [
        (max(one.start, start) + shift, min(one.end, end) + shift)
        for one in found
        if one.end > start and one.start < end
    ]
    return Snippet(before + line[start:end] + after, _joined(marks))


def _window(line: str, found: list[Hit]) -> tuple[int, int]:
    """From where to where to show: the first of the places that have the most different words."""
    inside = SHOWN - 2 * len(CUT)
    best, most = 0, 0
    for number, one in enumerate(found):
        reach = one.start + inside - BEFORE
        words = {other.word for other in _until(reach, islice(found, number, None))}
        if len(words) > most:
            best, most = one.start, len(words)
    start = max(0, min(best - BEFORE, len(line) - inside))
    if start:
        # Not in the middle of a word, if one ends soon.
        space = line.find(" ", start, min(start + BEFORE // 2, best))
        start = space + 1 if space >= 0 else start
    return start, min(len(line), start + inside)


def _until(reach: int, found: Iterable[Hit]) -> Iterator[Hit]:
    """Those that end within reach; they come in their order."""
    for one in found:
        if one.end > reach:
            return
        yield one


def _joined(marks: list[tuple[int, int]]) -> list[list[int]]:
    """In order and apart: pairs of letters overlap."""
    joined: list[list[int]] = []
    for start, end in sorted(marks):
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(end, joined[-1][1])
        else:
            joined.append([start, end])
    return joined
