"""Initials on a colour, as the browser draws them (`page/people.js`), for pages without it."""

from __future__ import annotations

import re
import unicodedata

# How many `tint-…` classes the style sheet has.
TINTS = 10


def tint(public_id: str) -> int:
    """FNV-1a over the id; its high bits are the well mixed ones."""
    value = 0x811C9DC5
    for char in public_id:
        value = ((value ^ ord(char)) * 0x01000193) & 0xFFFFFFFF
    return (value >> 16) % TINTS


def initials(name: str) -> str:
    """One or two letters, of any script."""
    words = [word for word in re.split(r"[\s._-]+", name) if word]
    firsts = [next((c for c in word if unicodedata.category(c)[0] in "LN"), "") for word in words]
    return ("".join([first for first in firsts if first][:2]) or name[:1] or "?").upper()
