"""Text of people in places that have no markup to isolate it: titles, log lines, menus."""

from __future__ import annotations

import unicodedata

# Controls, formats (what turns the direction of text is among them), surrogates, characters of
# one font only, and the two that break a line.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# The joiners: they shape emoji and the letters of some scripts.
_JOINERS = "\u200c\u200d"


def is_unseen(char: str) -> bool:
    """Whether a character shows nothing of its own, but may turn or hide what stands around it."""
    return char not in _JOINERS and unicodedata.category(char) in _UNSEEN


def plain(text: str) -> str:
    """The text without what cannot be seen in it."""
    return "".join(char for char in text if not is_unseen(char)).strip()
