"""The time zones that somebody can choose."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

# Old names, and zones that are no place.
_LEFT_OUT = (
    "Etc/",
    "SystemV/",
    "US/",
    "posix/",
    "right/",
    "Brazil/",
    "Canada/",
    "Chile/",
    "Mexico/",
)


@cache
def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """By region: `("America", [("America/Argentina/Salta", "Argentina, Salta"), …])`."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in sorted(available_timezones()):
        region, mark, place = zone.partition("/")
        if mark and not zone.startswith(_LEFT_OUT):
            shown = place.replace("_", " ").replace("/", ", ")
            regions.setdefault(region, []).append((zone, shown))
    return [*regions.items(), ("UTC", [("UTC", "UTC")])]
