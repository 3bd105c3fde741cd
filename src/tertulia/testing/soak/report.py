"""The result of a soak: a table on the terminal, and a page with a picture."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import machine
from ..server import SOURCE
from ..services import Missing, find_program
from .judge import MIB, Judged
from .plot import lines
from .run import Result

HEAD = ("process", "quantity", "first", "last", "an hour", "±", "may grow", "")


def table(result: Result) -> list[tuple[str, ...]]:
    """A row for each quantity of each process."""
    rows: list[tuple[str, ...]] = [HEAD]
    for each in result.judged:
        trend = each.trend
        unit = f" {each.quantity.unit}".rstrip()
        rows.append(
            (
                each.process,
                each.quantity.name,
                f"{trend.first:.1f}{unit}",
                f"{trend.last:.1f}{unit}",
                f"{trend.slope:+.2f}",
                f"{2 * trend.error:.2f}",
                _allowed(each),
                "GROWS" if each.broken else "level",
            )
        )
    return rows


def _allowed(each: Judged) -> str:
    unit = f" {each.quantity.unit}".rstrip()
    words = [f"{each.bound.hourly:g}/h + {each.bound.once:g}{unit}"]
    if each.explained:
        words.append(f"page cache {each.explained:.1f}")
    return ", ".join(words)


def text(result: Result) -> str:
    """What the terminal shows of one mode."""
    rows = table(result)
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    findings = [f"FOUND: {finding}" for finding in result.findings] or ["nothing found"]
    return "\n".join([f"{result.mode}: {summary(result)}", *shown, *findings])


def summary(result: Result) -> str:
    """What happened, in a line."""
    did = ", ".join(f"{n:,} {name}" for name, n in sorted(result.did.items()))
    troubles = ", ".join(f"{n} {name}" for name, n in sorted(result.troubles.items()))
    return (
        f"{result.seconds / 60:.1f} minutes; {result.verdict.explained(0)}; visitors: {did};"
        f" faults: {troubles or 'none'}"
    )


def save(results: Sequence[Result], folder: Path, command: str) -> list[Path]:
    """Writes `soak-DATE.md`, and a picture for each mode; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    stem = f"soak-{now:%Y-%m-%d}"
    on = machine.described()
    parts = [
        f"# Soak of {now:%Y-%m-%d}",
        f"{on['processor']}, {on['cores']} cores, {on['memory_mib']:,} MiB, {on['system']},"
        f" {on['kernel']}. {', '.join(_versions())}; commit {machine.commit(SOURCE.parent)}."
        f" Made by `{command}`.",
        "A straight line through the samples of each server process, its beginning left out. ±: two"
        " standard errors. It grows if it does by more than its bound with the slope flatter by as"
        " much. Descriptors are those beside the sockets of clients. SQLite's page cache fills as"
        " the database grows, up to its own bound, and is allowed for.",
    ]
    files = []
    for result in results:
        picture = folder / f"{stem}-{result.mode}.svg"
        picture.write_text(lines(f"Resident memory, {result.mode}", _series(result), "MiB"))
        files.append(picture)
        head, *rows = table(result)
        shown = [head, ("---",) * len(head), *rows]
        findings = [f"- {finding}" for finding in result.findings] or ["Nothing was found."]
        parts += [
            f"## {result.mode}",
            summary(result) + ".",
            "\n".join(f"| {' | '.join(row)} |" for row in shown),
            "\n".join(findings),
            f"![Resident memory of the server processes over time]({picture.name})",
        ]
    page = folder / f"{stem}.md"
    page.write_text("\n\n".join(parts) + "\n")
    return [page, *files]


def _series(result: Result) -> dict[str, list[tuple[float, float]]]:
    began = result.samples[0].t if result.samples else 0.0
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in result.names.values()}
    for sample in result.samples:
        series[result.names[sample.pid]].append(((sample.t - began) / 60, sample.rss / MIB))
    return series


def _versions() -> list[str]:
    found = [f"Python {machine.described()['python']}", f"SQLite {sqlite3.sqlite_version}"]
    for name in ("tertulia", "Django", "uvicorn"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    for program in ("postgres", "redis-server"):
        try:
            found.append(machine.said(find_program(program), "--version"))
        except Missing:
            continue
    return found
