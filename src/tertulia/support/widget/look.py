"""How an inbox looks and what it says: colour, texts, and whether somebody is there."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from tertulia.chat.encode import timestamp

from ..hours import next_open
from ..models import TEXTS, Agent, Inbox

LIGHT, DARK = "#ffffff", "#16130f"


def ink_on(colour: str) -> str:
    """White or nearly black: what is seen better on a colour like `#2457c5`."""
    return max(LIGHT, DARK, key=lambda ink: _contrast(ink, colour))


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 has it: from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def texts_of(inbox: Inbox, language: str) -> dict[str, str]:
    """`title`, `greeting`, `away` in a language; what has not been written in it, in another, and
    "" where it has been written in none."""
    written = (inbox.texts.get(language, {}), inbox.texts.get("en", {}), *inbox.texts.values())
    return {name: next((texts[name] for texts in written if texts.get(name)), "") for name in TEXTS}


def presence_of(inbox: Inbox) -> dict[str, Any]:
    """`{"here": bool, "opens": when}`.

    `here`: it is open, and an agent is connected and available. `opens`: when the hours say that
    somebody will be there; null while they say so now, and where they never do.
    """
    now = timezone.now()
    opens = next_open(inbox.hours, now)
    is_open = opens == now
    agents = Agent.objects.filter(inbox=inbox, available=True, here_until__gt=now)
    here = is_open and agents.exists()
    return {"here": here, "opens": None if is_open or opens is None else timestamp(opens)}
