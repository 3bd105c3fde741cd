"""Run by itself: what two databases do for every reading, one with eight times the messages.

    python -m tests.support.planwork FOLDER URL,URL SQL READING

A URL of `sqlite` is a file in the folder. Printed as JSON, twice: every reading, and then READING
alone after SQL has taken something away. Of each its name, queries, work in both databases,
faults, plans, and whether it is a first page.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.planning import bases
from benchmarks.planning.gather import furnish, take
from benchmarks.planning.readings import Reading
from benchmarks.planning.town import Sizes

FEW, MANY = "few", "many"
# Small, but with more of everything than a page holds.
LARGE = Sizes(
    messages=32_000,
    rooms=260,
    people=400,
    mine=130,
    members=150,
    sessions=4_800,
    changes=1_600,
    asked=20,
    batch=8,
)
SIZES = {FEW: LARGE.part(8), MANY: LARGE}


def told(made: dict[str, list[Reading]]) -> list[dict[str, Any]]:
    """What there is to say of these readings."""
    return [
        {
            "name": each.name,
            "page": each.page,
            "queries": len(each.taken[MANY].statements),
            "work": [each.taken[FEW].work, each.taken[MANY].work],
            "faults": each.taken[MANY].faults(),
            "plans": [one.plan.told() for one in each.taken[MANY].statements],
        }
        for each in take(made, timed=False)
    ]


def main(folder: str, urls: str, sql: str, reading: str) -> None:
    given = [None if url == "sqlite" else url for url in urls.split(",")]
    bases.set_up(Path(folder), dict(zip(SIZES, given, strict=True)))
    made = {alias: furnish(alias, sizes, lambda line: None) for alias, sizes in SIZES.items()}
    whole = told(made)
    for alias in made:
        with bases.using(alias) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
    one = {alias: [each for each in found if each.name == reading] for alias, found in made.items()}
    print(json.dumps([whole, told(one)]))


if __name__ == "__main__":
    main(*sys.argv[1:])
