"""The whole benchmark in small: real servers, a few connections, tables with figures in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks.bench import __main__ as bench
from benchmarks.bench import plots, report
from benchmarks.bench.build import compiler
from benchmarks.bench.contenders.limit import LIMIT
from benchmarks.bench.contenders.tertulia import SHIPPED, UNLIMITED
from benchmarks.bench.stage import QUICK

pytestmark = pytest.mark.skipif(not compiler(), reason="there is no C compiler")

PEOPLE = 20


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The limit and `tertulia serve` with twenty connections."""
    plan = replace(
        QUICK, sizes=(PEOPLE,), rounds=1, ms=200, writers=((1, 1), (PEOPLE, 1), (PEOPLE, 4))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "WORK", tmp_path_factory.mktemp("bench"))
        both = [LIMIT, SHIPPED]
        chosen = {"fanout": both, "durable": UNLIMITED[:1]}
        return bench.measured(chosen, plan)


def rows(result: Any, measure: str) -> dict[tuple[str, int | None], Any]:
    found = result["measures"][measure]
    return {(row["key"], row.get("window")): row for row in found}


def test_nobody_is_left_out(result: Any) -> None:
    assert result["failed"] == []
    assert result["missing"] == {}


@pytest.mark.parametrize("window", [1, 64])
def test_what_is_told_reaches_everybody_once_and_in_order(result: Any, window: int) -> None:
    for key in ("limit", "tertulia"):
        row = rows(result, "fanout")[key, window]
        assert (row["lost"], row["doubled"], row["disordered"]) == (0, 0, 0)
        assert row["cpu"] > 0
        assert row["p99"] >= row["p50"] > 0


def test_the_limit_writes_frames_as_long_as_our_events(result: Any) -> None:
    found = rows(result, "fanout")
    assert found["limit", 1]["bytes"] == result["event_bytes"]
    # Names of people and numbers are of several lengths.
    assert found["tertulia", 1]["bytes"] == pytest.approx(result["event_bytes"], abs=30)


def test_figures_are_compared_with_the_limit_of_the_same_round(result: Any) -> None:
    found = rows(result, "fanout")
    assert found["limit", 1]["ratio"] == 1
    ours, limit = found["tertulia", 1], found["limit", 1]
    assert ours["ratio"] == pytest.approx(ours["cpu"] / limit["cpu"])


def test_writers_are_answered_and_counted(result: Any) -> None:
    found = {(row["writers"], row["window"]): row for row in result["measures"]["durable"]}
    for writers in ((1, 1), (PEOPLE, 1), (PEOPLE, 4)):
        row = found[writers]
        assert row["messages"] > 0
        assert row["cpu"] > 0


def test_the_result_is_shown_and_kept(result: Any, tmp_path: Path) -> None:
    shown = report.shown(result)
    assert "room of 20" in shown
    data, page = report.saved(result, tmp_path)
    assert "| Tertulia |" in page.read_text()
    assert data.suffix == ".json"
    for path in plots.drawn({**result, "measures": wide(result)}, tmp_path):
        assert ElementTree.parse(path).getroot().tag.endswith("svg")


def wide(result: Any) -> Any:
    """As if the rooms had been those that plots are about."""
    fanout = [{**row, "room": 1_000} for row in result["measures"]["fanout"]]
    return {**result["measures"], "fanout": fanout}


def test_a_name_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        bench.main(["--only", "nobody"])
    assert end.value.code == 2
    assert "nobody" in capsys.readouterr().err
