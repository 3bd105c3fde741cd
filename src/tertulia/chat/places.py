"""Pages of other apps to which the chat's page leads, for those to whom they are something."""

from __future__ import annotations

from collections.abc import Callable

from .models import Participant

# Of each: its name among the page's addresses, and its address, or None for whom it is nothing.
# An app that has such a page puts it in where the page is mounted.
offered: dict[str, Callable[[Participant], str | None]] = {}


def places_of(person: Participant) -> dict[str, str | None]:
    """The addresses of those pages as this person has them."""
    return {name: address(person) for name, address in offered.items()}
