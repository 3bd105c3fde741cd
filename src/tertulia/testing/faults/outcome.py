"""What a fault did to an installation: counts, figures, violations."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..checker import Verdict
from .registry import Length, Mode

# What the checker counts of every storm; leaks only where somebody was removed.
COUNTS = ("lost", "doubled", "out_of_order", "late", "stuck")


@dataclass(frozen=True)
class Figure:
    """Something measured; `at_most` is its bound, None where it is only told."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def held(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    def __str__(self) -> str:
        bound = "" if self.at_most is None else f"(≤ {self.at_most:g})"
        return " ".join(filter(None, (self.name, f"{self.value:.4g}", self.unit, bound)))


@dataclass
class Outcome:
    """The result of one fault in one mode.

    Counts are None until something has looked; `leaked` until somebody was removed who listened.
    `unjudged`: storms whose records nobody has judged, because the fault failed or was ended.
    `converged`: the worst seconds until somebody had what was there to be had. `growth`: bytes by
    which a server process grew at most. `missing`: what it would have needed here to run at all.
    `logs`: the end of what the servers wrote, if it failed.
    """

    name: str
    mode: Mode
    length: Length
    trials: int = 0
    acknowledged: int = 0
    lost: int | None = None
    doubled: int | None = None
    out_of_order: int | None = None
    leaked: int | None = None
    late: int | None = None
    stuck: int | None = None
    unjudged: int = 0
    converged: float | None = None
    growth: int | None = None
    seconds: float = 0.0
    figures: list[Figure] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    missing: str = ""
    stopped: bool = False
    logs: str = field(default="", repr=False)

    @property
    def passed(self) -> bool:
        """Everything that had to hold held, to the end."""
        broken = self.violations or self.missing or self.stopped
        return not broken and all(figure.held for figure in self.figures)

    def take(self, verdict: Verdict) -> None:
        """Adds what the check of a storm has found; answered sends are counted as they come."""
        self.checked(*COUNTS, *(["leaked"] if verdict.removed else []))
        self.blame(verdict)
        self.growth = max(self.growth or 0, verdict.growth)
        if verdict.acknowledged:
            self.converged = max(self.converged or 0.0, verdict.converged)

    def checked(self, *counts: str) -> None:
        """Something has looked at these."""
        for name in counts:
            setattr(self, name, getattr(self, name) or 0)

    def blame(self, verdict: Verdict) -> None:
        """Adds violations, and nothing where there is none."""
        for name in (*COUNTS, "leaked"):
            if found := getattr(verdict, name):
                setattr(self, name, (getattr(self, name) or 0) + found)
        self.violations += map(str, verdict.violations)

    def explained(self, limit: int = 20, *, logs: bool = True) -> str:
        """Why it did not pass, for a person: what was broken, and what the servers wrote."""
        lines = [f"{self.name} ({self.mode}, {self.length}) after {self.seconds:.0f} s:"]
        if self.missing:
            lines.append(f"not run: {self.missing}")
        if self.stopped:
            lines.append("interrupted")
        lines += self.violations[:limit]
        if len(self.violations) > limit:
            lines.append(f"... and {len(self.violations) - limit} more")
        lines += [f"beyond its bound: {figure}" for figure in self.figures if not figure.held]
        return "\n".join([*lines, *([self.logs] if logs and self.logs else [])])
