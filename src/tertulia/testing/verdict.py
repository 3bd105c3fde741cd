"""What the checker has found: counts for a table, and the violations themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

# Violations of one invariant that are kept word for word; all of them are counted.
KEPT = 50


@dataclass(frozen=True)
class Violation:
    """One breach: `invariant` is "I1" to "I8", `what` says where and how."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


@dataclass
class Verdict:
    """The outcome of one check, or of several added up."""

    # Sends that were answered with a seq.
    acknowledged: int = 0
    # People who were put out of a private room, or left it, after they had been seen to listen:
    # without any, nothing could leak.
    removed: int = 0
    # Seconds from when an event was known to exist, and its reader connected, to when he had it:
    # the worst of all.
    converged: float = 0.0
    # Bytes by which one process grew at most over its first sample.
    growth: int = 0
    # The first violations of each invariant, and how many there are of each.
    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, found: Iterable[Violation]) -> None:
        """Count violations, and keep the first of each invariant."""
        for violation in found:
            self.counts[violation.invariant] += 1
            if self.counts[violation.invariant] <= KEPT:
                self.violations.append(violation)

    def merge(self, other: Verdict) -> None:
        """Add what another check found."""
        self.acknowledged += other.acknowledged
        self.removed += other.removed
        self.converged = max(self.converged, other.converged)
        self.growth = max(self.growth, other.growth)
        self.violations += other.violations
        self.counts += other.counts

    @property
    def lost(self) -> int:
        """Acknowledged and not in the log, or not in a later read (I1, I5)."""
        return self.counts["I1"] + self.counts["I5"]

    @property
    def doubled(self) -> int:
        """Stored or applied twice (I2)."""
        return self.counts["I2"]

    @property
    def out_of_order(self) -> int:
        """In another order than the log's, or with a gap (I3, I4)."""
        return self.counts["I3"] + self.counts["I4"]

    @property
    def leaked(self) -> int:
        """Events that reached somebody who was not admitted (I6)."""
        return self.counts["I6"]

    @property
    def late(self) -> int:
        """Times that somebody did not converge within the deadline (I7)."""
        return self.counts["I7"]

    @property
    def stuck(self) -> int:
        """Sends that were never answered, and what grew beyond its bound (I8)."""
        return self.counts["I8"]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.counts

    def invariants(self) -> set[str]:
        """The names of those that were violated."""
        return set(+self.counts)

    def explained(self, most: int = 20) -> str:
        """The counts in a line, and the first violations below it, a line each."""
        leaked = f"{self.leaked} leaked" if self.removed or self.leaked else "nobody removed"
        line = (
            f"{self.acknowledged} acknowledged, {self.lost} lost, {self.doubled} doubled,"
            f" {self.out_of_order} out of order, {leaked}, {self.late} late,"
            f" {self.stuck} stuck, converged within {self.converged:.2f} s"
        )
        return "\n".join([line, *map(str, self.violations[:most])])
