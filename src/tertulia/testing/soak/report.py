"""The result of a soak: a table on the terminal, and a page with a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from .. import machine
from ..faults.registry import Mode
from ..memory import MIB
from .judge import Judged
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
    faults = ", ".join(f"{n} {name}" for name, n in sorted(result.faults.items()))
    return (
        f"{result.seconds / 60:.1f} minutes; {result.verdict.explained(0)}; visitors: {did};"
        f" faults: {faults or 'none'}"
    )


def save(
    results: Sequence[Result], folder: Path, command: str, left: Mapping[Mode, str]
) -> list[Path]:
    """Writes `soak-DATE.md`, with the mode behind where it is one alone, and a picture for each;
    the files. `left`: modes that have no result, and why."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    stem = f"soak-{now:%Y-%m-%d}"
    modes = [*(result.mode for result in results), *left]
    parts = [
        f"# Soak of {now:%Y-%m-%d}",
        f"{machine.told(machine.proved_on())} Made by `{command}`.",
        "A straight line through the samples of each server process, its beginning left out. ±: two"
        " standard errors. It grows if it does by more than its bound with the slope flatter by as"
        " much. Descriptors are those beside the sockets of clients. In a soak of ten minutes or"
        " more the page cache of SQLite's writer is filled before anything is judged; in a shorter"
        " one what it may have grown by is allowed for.",
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
    parts += [f"## {mode}\n\nNot run: {why}." for mode, why in left.items()]
    page = folder / f"{stem}{'-' + modes[0] if len(modes) == 1 else ''}.md"
    page.write_text("\n\n".join(parts) + "\n")
    return [page, *files]


def _series(result: Result) -> dict[str, list[tuple[float, float]]]:
    began = result.samples[0].t if result.samples else 0.0
    series: dict[str, list[tuple[float, float]]] = {name: [] for name in result.names.values()}
    for sample in result.samples:
        series[result.names[sample.pid]].append(((sample.t - began) / 60, sample.rss / MIB))
    return series
