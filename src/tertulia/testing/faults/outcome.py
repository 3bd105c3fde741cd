"""What a fault did to an installation: counts, figures, violations."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..checker import Verdict
from .registry import Length, Mode


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

    `converged`: the worst seconds until somebody had what was there to be had. `missing`: what it
    would have needed here to run at all. `logs`: the end of what the servers wrote, if it failed.
    """

    name: str
    mode: Mode
    length: Length
    trials: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    leaked: int = 0
    converged: float | None = None
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
        """Adds what one check has found; answered sends are counted as they come."""
        self.lost += verdict.lost
        self.doubled += verdict.doubled
        self.out_of_order += verdict.out_of_order
        self.leaked += verdict.leaked
        self.violations += map(str, verdict.violations)
        if verdict.acknowledged:
            self.converged = max(self.converged or 0.0, verdict.converged)

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
