"""What a run found, as text for a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fuzzer import Outcome, Result
from known import Known
from servers import Server


@dataclass(frozen=True)
class Run:
    """All cases that were carried out against one server."""

    server: Server
    results: list[Result]
    unexpected: list[Result]
    better: list[Result]
    seconds: float


def table(runs: Sequence[Run]) -> str:
    """One line a server, one column an outcome, in Markdown that reads well in a terminal."""
    return aligned([["server", *Outcome, "seconds"], *map(_row, runs)])


def _row(run: Run) -> list[str]:
    counts = Counter(each.outcome for each in run.results)
    numbers = [str(counts[outcome]) for outcome in Outcome]
    return [run.server.name, *numbers, f"{run.seconds:.0f}"]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table: the first row is its head, the first column text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = [f"{'-' * (width - 1)}{':' if i else '-'}" for i, width in enumerate(widths)]
    return "\n".join([lines[0], _line(rule, widths), *lines[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if i else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def details(runs: Iterable[Run], known: Known) -> str:
    """Everything but what passed: what was not recorded first, each with its reason."""
    lines = []
    for run in runs:
        name = run.server.name
        lines += [
            f"{name}: NOT RECORDED, {outcome}: {ids}: {detail}"
            for outcome, detail, ids in _alike(run.unexpected)
        ]
        lines += [
            f"{name}: {outcome}, recorded as worse in known.toml, which can be mended: {ids}"
            for outcome, _, ids in _alike(run.better)
        ]
        lines += [
            f"{name}: {outcome}, as recorded: {ids}: {reason}"
            for outcome, reason, ids in _reasons(run, known)
        ]
        told = [each for each in run.results if each.outcome is Outcome.INFORMATIONAL]
        lines += [f"{name}: {outcome}: {ids}: {detail}" for outcome, detail, ids in _alike(told)]
    return "\n".join(lines)


def _alike(results: Iterable[Result]) -> list[tuple[Outcome, str, str]]:
    """Outcome, detail and the cases that have both in common."""
    return _gathered((each.outcome, each.detail, each.case) for each in results)


def _reasons(run: Run, known: Known) -> list[tuple[Outcome, str, str]]:
    """Outcome, reason and the cases, for what came out as it is recorded."""
    recorded = ((each, known.get((run.server.name, each.case))) for each in run.results)
    return _gathered(
        (each.outcome, entry.reason, each.case)
        for each, entry in recorded
        if entry is not None and entry.outcome is each.outcome
    )


def _gathered(found: Iterable[tuple[Outcome, str, str]]) -> list[tuple[Outcome, str, str]]:
    cases: dict[tuple[Outcome, str], list[str]] = {}
    for outcome, why, case in found:
        cases.setdefault((outcome, why), []).append(case)
    # The worst first.
    order = sorted(cases, key=lambda key: -list(Outcome).index(key[0]))
    return [(*key, shortened(cases[key])) for key in order]


def shortened(cases: Sequence[str]) -> str:
    """`6.4.1 to 6.4.4, 7.1.5`: neighbours of one group as a range."""
    parts = []
    for _, run in groupby(enumerate(cases), lambda item: _neighbourhood(item[1], item[0])):
        ids = [case for _, case in run]
        parts.append(f"{ids[0]} to {ids[-1]}" if len(ids) > 2 else ", ".join(ids))
    return ", ".join(parts)


def _neighbourhood(case: str, place: int) -> tuple[str, int]:
    group, _, number = case.rpartition(".")
    return group, int(number) - place


def say(text: str) -> None:
    """To standard error, in the manner of the other scripts in `bin`."""
    print(f"autobahn: {text}", file=sys.stderr, flush=True)
