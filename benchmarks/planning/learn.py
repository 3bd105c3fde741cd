"""What SQLite does otherwise once it has statistics, which it never has of itself."""

from __future__ import annotations

import time

from .bases import using
from .gather import Measured, take
from .readings import Reading

# What `PRAGMA optimize` looks at of each index.
LIMIT = 400


def learnt(kind: str, made: dict[str, list[Reading]], before: list[Measured]) -> list[str]:
    """Lines on the plans before and after `ANALYZE`; none for a database that analyses itself."""
    if kind != "sqlite":
        return []
    alias = f"{kind}_large"
    with using(alias) as connection:
        connection.ensure_connection()
        raw = connection.connection
        raw.execute(f"PRAGMA analysis_limit={LIMIT}")
        began = time.monotonic()
        raw.execute("ANALYZE")
        took = time.monotonic() - began
        # Statistics are read when a connection is opened.
        connection.close()
    after = take({alias: made[alias]}, timed=False)
    lines = [
        "",
        f"With statistics (`ANALYZE` with `analysis_limit={LIMIT}`, {took:.1f} s), as after"
        " `PRAGMA optimize`, these statements have another plan:",
        "",
    ]
    changed: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for old, new in zip(before, after, strict=True):
        pairs = zip(old.taken[alias].statements, new.taken[alias].statements, strict=False)
        for one, other in pairs:
            plans = (one.plan.told(), other.plan.told())
            if plans[0] != plans[1]:
                changed.setdefault(plans, []).append((old.name, one.work, other.work))
    return lines + ([_line(*plans, found) for plans, found in changed.items()] or ["- none"])


def _line(before: str, after: str, found: list[tuple[str, int, int]]) -> str:
    names = ", ".join(dict.fromkeys(name for name, _, _ in found))
    _, one, other = max(found, key=lambda each: each[1])
    return f"- {names}: `{before}` ({one:,} instructions) becomes `{after}` ({other:,})"
