"""Keeps the results of full runs (`results.json`) and shows them in docs/websocket-conformance.md.

A run of some servers leaves the others' results as they are.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from cases import SUITE
from fuzzer import Outcome
from known import Known
from report import Run, aligned, shortened
from servers import ROOT, SERVERS, versions

RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs/websocket-conformance.md"
_BEGIN = "<!-- Made by `bin/autobahn --record`; the reasons are those of known.toml. -->"
_END = "<!-- Made until here. -->"

Kept = dict[str, dict[str, Any]]
"""By server: date, versions, number of cases, and the ids of those that did not pass by outcome."""


def write(runs: Iterable[Run], known: Known) -> None:
    """Keep what was found and bring the page up to date."""
    kept: Kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept |= {run.server.name: _kept(run) for run in runs}
    kept = {name: kept[name] for name in SERVERS if name in kept}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    head, begin, rest = PAGE.read_text().partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost its marks: {_BEGIN} and {_END}")
    PAGE.write_text(f"{head}{_BEGIN}\n\n{_tables(kept, known)}\n\n{_END}{tail}")


def _kept(run: Run) -> dict[str, Any]:
    return {
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day where it was run
        "suite": SUITE.version,
        "versions": f"Python {platform.python_version()}, {versions(run.server)}",
        "cases": len(run.results),
        "not passed": {
            outcome.value: " ".join(each.case for each in run.results if each.outcome is outcome)
            for outcome in Outcome
            if outcome is not Outcome.PASSED
        },
    }


def _tables(kept: Kept, known: Known) -> str:
    counts = [["server", *Outcome], *(_counts(name, result) for name, result in kept.items())]
    made = "\n".join(
        f"| {name} | {result['versions']} | {result['date']}, {result['suite']} |"
        for name, result in kept.items()
    )
    why = "\n".join(row for name, result in kept.items() for row in _reasons(name, result, known))
    return (
        f"{aligned(counts)}\n\n"
        f"| server | with | on, and the suite |\n| --- | --- | --- |\n{made}\n\n"
        f"| server | outcome | cases | why |\n| --- | --- | --- | --- |\n{why}"
    )


def _counts(name: str, result: dict[str, Any]) -> list[str]:
    others = {outcome: len(ids.split()) for outcome, ids in result["not passed"].items()}
    passed = result["cases"] - sum(others.values())
    return [name, *(str(others.get(outcome, passed)) for outcome in Outcome)]


def _reasons(name: str, result: dict[str, Any], known: Known) -> Iterable[str]:
    for outcome in (Outcome.FAILED, Outcome.NON_STRICT):
        cases: dict[str, list[str]] = {}
        for case in result["not passed"][outcome].split():
            entry = known.get((name, case))
            cases.setdefault("not explained" if entry is None else entry.reason, []).append(case)
        for reason, ids in cases.items():
            yield f"| {name} | {outcome} | {shortened(ids)} | {reason} |"
