"""A search reads what it finds, and not all that was ever said: each statement is explained by the
database itself, as in `tests/chat/test_query_plans.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tertulia.testing.services import Postgres

# PostgreSQL reads small tables as a whole, by right; without that what is left is a missing index.
WITHOUT = "?options=-c%20enable_seqscan%3Doff%20-c%20random_page_cost%3D1"
GROWING = {
    "tertulia_chat_message",
    "tertulia_support_searchtext",
    "tertulia_support_conversation",
    "tertulia_support_visitor",
    "tertulia_chat_participant",
}

# Of `tests.support.searchwork`: what no search of the product does.
BY_HAND = "without an index"

Searches = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Searches:
    """What was found of every search, by its name."""
    urls = ["sqlite", "sqlite"]
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = [postgres.new_database() + WITHOUT for _ in urls]
    folder = tmp_path_factory.mktemp(request.param)
    work = [sys.executable, "-m", "tests.support.searchwork", str(folder)]
    done = subprocess.run(
        [*work, ",".join(urls)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {each["name"]: each for each in json.loads(done.stdout)}


def read_as_a_whole(search: dict[str, Any]) -> list[str]:
    """Tables that grow and that it goes through from one end to the other."""
    return [table for table, how in search["scans"] if how == "seq" and table in GROWING]


def test_no_table_that_grows_is_read_as_a_whole(told: Searches) -> None:
    # Where each message fits, to go through them from the end is the shortest way.
    rare = {name: each for name, each in told.items() if name not in ("everywhere", BY_HAND)}
    found = {name: read_as_a_whole(each) for name, each in rare.items()}
    assert not any(found.values()), found


def test_what_is_there_is_found(told: Searches) -> None:
    assert {name: each["found"] for name, each in told.items()} == {
        "a rare word": [12, 12],
        "the beginning of a rare word": [12, 12],
        "rare among frequent ones": [12, 12],
        "nowhere": [0, 0],
        "a visitor": [11, 50],
        "everywhere": [50, 50],
        BY_HAND: [12, 12],
    }


def test_what_is_rare_is_no_more_work_among_more(told: Searches) -> None:
    for name in ("a rare word", "the beginning of a rare word", "nowhere"):
        few, many = told[name]["work"]
        assert many < 2 * few, (name, few, many)


def test_to_go_through_all_texts_is_seen(told: Searches) -> None:
    """The tests above are as good as their eyes."""
    assert read_as_a_whole(told[BY_HAND]) == ["tertulia_support_searchtext"]
    few, many = told[BY_HAND]["work"]
    assert many > 4 * few
