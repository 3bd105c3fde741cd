"""A room's address: what a slug may hold, and when two of them are the same room."""

from __future__ import annotations

import re
import secrets
import unicodedata

from tertulia.protocol.limits import SLUG

RESERVED = frozenset({"socket", "room", "chat"})
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
# 36**22 is more than 2**113.
_RANDOM_LENGTH = 22


def fold(text: str) -> str:
    """NFKC and casefold until nothing changes: equal results mean the same room or name."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", folded.casefold())


# Decomposed, the letters of a slug may be several code points each.
_WRITTEN = 4 * SLUG


def fold_slug(text: str) -> str | None:
    """The folded form by which a room is found; None for what cannot be any room's address."""
    if len(text) > _WRITTEN or "\x00" in text:
        return None
    return fold(text)


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"


def _may_follow(char: str) -> bool:
    # Marks belong to the letters before them: without them many scripts cannot be written.
    return char in "_-" or unicodedata.category(char)[0] in "LNM"


def check_slug(text: str) -> str:
    """The slug in NFC. Raises `ValueError`, saying what is wrong."""
    slug = unicodedata.normalize("NFC", text)
    if not 1 <= len(slug) <= SLUG:
        raise ValueError(f"A room's address has 1 to {SLUG} characters.")
    if not _is_letter_or_digit(slug[0]):
        raise ValueError("A room's address begins with a letter or a digit.")
    if not all(map(_may_follow, slug)):
        raise ValueError("A room's address holds only letters, digits, “_” and “-”.")
    if fold(slug) in RESERVED:
        raise ValueError("This address is reserved; choose another name.")
    return slug


def slug_from_name(name: str) -> str:
    """A slug that looks like the name; a reserved or empty one gets a prefix or a word."""
    text = unicodedata.normalize("NFKC", name).lower()
    kept = "".join(char if _may_follow(char) else "-" for char in text)
    slug = re.sub(r"-{2,}", "-", kept).strip("-_")
    while slug and not _is_letter_or_digit(slug[0]):
        slug = slug[1:]
    slug = unicodedata.normalize("NFC", slug)[:SLUG].rstrip("-_")
    if not slug or fold(slug) in RESERVED:
        slug = f"{slug}-1".lstrip("-") if slug else "room-1"
    return slug


def with_suffix(slug: str, suffix: str) -> str:
    """`lobby` and `2` give `lobby-2`, within the limit."""
    return f"{slug[: SLUG - len(suffix) - 1]}-{suffix}"


def random_slug() -> str:
    """An address that nobody can guess, for private and direct rooms."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
