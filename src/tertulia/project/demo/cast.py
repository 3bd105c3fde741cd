"""The people of the demo: a neighbourhood library that is building an app to read by."""

from __future__ import annotations

from typing import NamedTuple

MAIN = "ana"
"""Who the site is looked at as: an administrator, with things unread."""
BOT = "bookdrop"
"""The machine behind the returns slot."""


class Character(NamedTuple):
    """Somebody of the cast: the name to sign in with, the one that is seen, and choices."""

    key: str
    name: str
    language: str
    time_zone: str


CAST = [
    Character(MAIN, "Ana", "", "Europe/Madrid"),
    Character("bruno", "Bruno", "en", "Europe/Madrid"),
    Character("carmen", "Carmen", "es", "Europe/Madrid"),
    Character("diego", "Diego", "es", "America/Argentina/Buenos_Aires"),
    Character("edda", "Edda", "en", "Atlantic/Reykjavik"),
    Character("farid", "Farid", "en", "Europe/Dublin"),
    Character("greta", "Greta", "en", "Europe/Berlin"),
    Character("hugo", "Hugo", "es", "Europe/Madrid"),
    Character("ines", "Inés", "es", "Europe/Madrid"),
    Character("joaquin", "Joaquín", "es", "Europe/Madrid"),
    Character("lena", "Lena", "en", "Europe/Helsinki"),
    Character("mateo", "Mateo", "es", "America/Mexico_City"),
    Character("noor", "Noor", "en", "Asia/Amman"),
    Character("oona", "Oona", "en", "Europe/Dublin"),
]
