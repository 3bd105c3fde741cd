"""The table of what was played: on the screen, and kept in files."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from ..memory import MIB
from .outcome import Figure, Outcome
from .registry import Fault, Length, Mode

COLUMNS = (
    *("fault", "mode", "trials", "acknowledged", "lost", "doubled", "out of order", "leaked"),
    *("late", "stuck", "converged", "grew", "figures", "passed"),
)
# How the files of a run that was not whole end.
PART = "-part"
# In the place of a count that nobody has taken.
NONE = "—"


@dataclass
class Report:
    """One run of the command. `chosen`: faults and their modes, in the order of the table;
    `outcomes`: those that are over; `part`: not all of them, or not at their full lengths.
    `again`: later runs that played what had not passed, with what each played."""

    faults: dict[str, Fault]
    command: str
    part: bool = False
    chosen: Sequence[tuple[str, Mode]] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    on: dict[str, Any] = field(default_factory=machine.proved_on)
    again: list[dict[str, Any]] = field(default_factory=list)
    earlier: float = 0.0
    clock: float = field(default_factory=time.monotonic)

    def resume(self, file: Path, length: Length) -> None:
        """Goes on with the table of an earlier run: what passed there at this length stands.
        Raises OSError, and ValueError for what is no such file."""
        try:
            whole = json.loads(file.read_text())
            kept = [one for one in whole["outcomes"] if one["passed"] and one["length"] == length]
            outcomes = [_outcome(one) for one in kept]
            began = datetime.fromisoformat(whole["date"])
            again = whole.get("again", [])
            before = whole["command"], whole["machine"], whole["seconds"]
        except (KeyError, TypeError) as error:
            raise ValueError(f"{file} is not the data of a table of faults") from error
        stands = [one for one in outcomes if (one.name, one.mode) in self.chosen]
        played = [f"{name} ({mode})" for name, mode in self.left(stands)]
        this = {"command": self.command, "machine": self.on, "played": played}
        self.began = began
        self.command, self.on, self.earlier = before
        self.part = file.stem.endswith(PART)
        self.again = [*again, this]
        self.outcomes = stands

    def left(self, over: Sequence[Outcome] | None = None) -> list[tuple[str, Mode]]:
        """What was chosen and is not over yet."""
        done = {(one.name, one.mode) for one in (self.outcomes if over is None else over)}
        return [each for each in self.chosen if each not in done]

    def take(self, outcome: Outcome) -> None:
        """Enters an outcome in its place of the table."""
        self.outcomes.append(outcome)
        self.outcomes.sort(key=lambda one: self.chosen.index((one.name, one.mode)))

    @property
    def seconds(self) -> float:
        """How long it has run, and those before it whose table it goes on with."""
        return self.earlier + time.monotonic() - self.clock

    @property
    def failed(self) -> list[Outcome]:
        return [one for one in self.outcomes if not (one.passed or one.missing or one.stopped)]

    @property
    def not_run(self) -> dict[str, str]:
        """What was chosen and did not come to its end, and why."""
        reasons = {
            f"{one.name} ({one.mode})": one.missing or "interrupted"
            for one in self.outcomes
            if one.missing or one.stopped
        }
        left = [f"{name} ({mode})" for name, mode in self.left()]
        return reasons | dict.fromkeys(left, "interrupted before it")

    def text(self) -> str:
        """What the terminal shows at the end."""
        return "\n\n".join(filter(None, (_aligned(_rows(self)), self._not_run(), self._sum())))

    def save(self, folder: Path) -> list[Path]:
        """Writes a page and its data, over those of the same day and machine; the files.

        A run of a part has files of its own.
        """
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.began:%Y-%m-%d}-{machine.kind(self.on)}{PART if self.part else ''}"
        page, data = folder / f"{stem}.md", folder / f"{stem}.json"
        for file, text in ((page, self._page()), (data, self._data())):
            beside = file.with_suffix(".new")
            beside.write_text(text)
            beside.replace(file)
        return [page, data]

    def _sum(self) -> str:
        told = f"{sum(one.acknowledged for one in self.outcomes):,} messages acknowledged"
        counts = f"{len(self.failed)} failed, {len(self.not_run)} not run"
        return f"{len(self.outcomes)} played, {counts}; {told}, in {self.seconds / 60:.0f} minutes."

    def _not_run(self) -> str:
        lines = [f"  {name}: {why}" for name, why in self.not_run.items()]
        return "NOT RUN:\n" + "\n".join(lines) if lines else ""

    def _page(self) -> str:
        head, *rows = _rows(self)
        table = [head, ["---"] * len(head), *rows]
        reaches = [
            f"| {name} | {self.faults[name].what} | {self.faults[name].reach} |"
            for name in dict.fromkeys(one.name for one in self.outcomes)
        ]
        notes = [
            f"- {one.name} ({one.mode}): {note}" for one in self.outcomes for note in one.notes
        ]
        failed = [f"```\n{one.explained(logs=False)}\n```" for one in self.failed]
        missing = [f"- {name}: {why}" for name, why in self.not_run.items()]
        parts = [
            f"# Faults of {self.began:%Y-%m-%d}",
            f"{machine.told(self.on)} Made by `{self.command}`. {self._sum()}",
            *(
                f"Played again by `{one['command']}`: {', '.join(one['played'])}."
                f" {machine.told(one['machine'])}"
                for one in self.again
            ),
            "\n".join(f"| {' | '.join(row)} |" for row in table),
            "Leaked: events that reached somebody who had been removed. Late: times that somebody"
            " did not have everything in time. Stuck: sends without an answer, and what grew beyond"
            " its bound. Converged: the worst time until a client had what was there to be had,"
            " from when it was known and he connected. Grew: by how much a server process did at"
            f" most. {NONE}: nothing has looked at it; for leaks, nobody was removed. A figure"
            " passes within the bound behind it.",
            *(["## Failed", *failed] if failed else []),
            *(["## Not run", "\n".join(missing)] if missing else []),
            *(["## Notes", "\n".join(notes)] if notes else []),
            "## The faults",
            "| fault | what is done | what has to hold |\n| --- | --- | --- |\n"
            + "\n".join(reaches),
        ]
        return "\n\n".join(parts) + "\n"

    def _data(self) -> str:
        outcomes = [{**asdict(one), "passed": one.passed, "logs": ""} for one in self.outcomes]
        whole = {
            "date": self.began.isoformat(timespec="seconds"),
            "command": self.command,
            "again": self.again,
            "seconds": round(self.seconds),
            "machine": self.on,
            "not_run": self.not_run,
            "outcomes": outcomes,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _outcome(kept: dict[str, Any]) -> Outcome:
    """As `Report._data` has kept it."""
    figures = [Figure(**one) for one in kept["figures"]]
    return Outcome(
        **{name: value for name, value in kept.items() if name not in ("passed", "figures")},
        figures=figures,
    )


def summed(one: Outcome) -> str:
    """One outcome in a line, without what is zero."""
    cells = dict(zip(COLUMNS, row(one), strict=True))
    counted = COLUMNS[COLUMNS.index("trials") : COLUMNS.index("figures")]
    counts = [f"{name} {cells[name]}" for name in counted if cells[name] not in (NONE, "0")]
    passed = f"passed: {cells['passed']}"
    return ", ".join([passed, *counts, *map(str, one.figures), f"{one.seconds:.0f} s"])


def row(one: Outcome) -> list[str]:
    """The cells of one outcome, under COLUMNS."""
    counts = (one.lost, one.doubled, one.out_of_order, one.leaked, one.late, one.stuck)
    # While one storm has not been judged, the others' 0 says nothing.
    told = [
        NONE if not count and (count is None or one.unjudged) else str(count) for count in counts
    ]
    passed = "not run" if one.missing else "interrupted" if one.stopped else "FAILED"
    return [
        *(one.name, one.mode, f"{one.trials:,}", f"{one.acknowledged:,}", *told),
        NONE if one.converged is None else f"{one.converged:.1f} s",
        NONE if one.growth is None else f"{one.growth / MIB:.0f} MiB",
        "; ".join(map(str, one.figures)),
        "yes" if one.passed else passed,
    ]


def _rows(report: Report) -> list[list[str]]:
    return [list(COLUMNS), *map(row, report.outcomes)]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they have to be; figures, which may be long, stand below their line."""
    figures, passed = COLUMNS.index("figures"), COLUMNS.index("passed")
    short = [[*cells[:figures], cells[passed]] for cells in rows]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    lines = []
    for number, cells in enumerate(short):
        padded = [
            cell.ljust(width) if index < 2 or index == len(widths) - 1 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
        if number and rows[number][figures]:
            lines.append(f"    {rows[number][figures]}")
    return "\n".join(lines)
