"""What is read is found by an index, and is as much work in a long log as in a short one.

Every reading of the protocol and of the pages is carried out by the product's own functions on
databases of both kinds, and each statement that reaches the driver is explained by the database.
Work is counted in instructions of SQLite's machine, or in blocks that PostgreSQL has looked at.
`benchmarks/plans.py` does the same with five million messages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from benchmarks.planning.report import grows

from tertulia.testing.services import Postgres

# PostgreSQL reads small tables as a whole, by right; without that what is left is a missing index.
# And it takes an index for a page of a small room only where that is as cheap as in a large one.
WITHOUT = "?options=-c%20enable_seqscan%3Doff%20-c%20random_page_cost%3D1"
# What is taken away, to see whether it is missed, and what would miss it.
TAKEN = {
    "sqlite": ("DROP INDEX tertulia_unread_mentions", "read.mark at the head"),
    "postgres": (
        "ALTER TABLE tertulia_chat_message DROP CONSTRAINT tertulia_message_seq",
        "history.list, before, middle",
    ),
}


class Told(NamedTuple):
    """What was found of every reading, by its name; and of one without its index."""

    kind: str
    readings: dict[str, dict[str, Any]]
    missed: dict[str, Any]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Of each kind of database."""
    urls = ["sqlite", "sqlite"]
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = [postgres.new_database() + WITHOUT for _ in urls]
    folder = tmp_path_factory.mktemp(request.param)
    work = [sys.executable, "-m", "tests.support.planwork", str(folder)]
    done = subprocess.run(
        [*work, ",".join(urls), *TAKEN[request.param]],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    whole, [missed] = json.loads(done.stdout)
    return Told(request.param, {each["name"]: each for each in whole}, missed)


def test_what_grows_is_only_searched_by_an_index(told: Told) -> None:
    faults = {
        name: [reading["faults"], reading["plans"]]
        for name, reading in told.readings.items()
        if reading["faults"]
    }
    assert not faults


def test_no_reading_is_more_work_in_a_longer_log(told: Told) -> None:
    grown = {
        name: [reading["work"], reading["plans"]]
        for name, reading in told.readings.items()
        if grows(told.kind, *reading["work"])
    }
    assert not grown


def test_the_first_page_of_a_room_takes_three_queries_at_most(told: Told) -> None:
    pages = {name: each["queries"] for name, each in told.readings.items() if each["page"]}
    assert len(pages) > 8
    assert max(pages.values()) <= 3, pages


def test_the_number_of_queries_depends_on_no_number_of_rows(told: Told) -> None:
    queries = {name: reading["queries"] for name, reading in told.readings.items()}
    assert queries["room.list, first page of 50"] == queries["room.list, first page of 100"] <= 2
    few, many = "room.subscribe, 20 events missed", "room.subscribe, 450 events missed"
    assert queries[few] == queries[many] <= 4
    assert queries["room.subscribe, nothing missed"] == 1


def test_a_missing_index_is_seen(told: Told) -> None:
    """The tests above are as good as their eyes."""
    assert told.missed["faults"] or grows(told.kind, *told.missed["work"]), told.missed
