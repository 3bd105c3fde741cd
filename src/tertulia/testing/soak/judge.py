"""What the samples of a soak show: a trend for each process and quantity, with its bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..memory import MIB
from .pages import Pages
from .samples import Sample
from .trend import Bound, Trend, fit

# The beginning of a process's life says nothing of its growth: this share of the soak, at least
# and at most so many seconds.
WARM_UP = 0.2
WARM_UP_SECONDS = (3.0, 300.0)
# A process is judged if it was seen, warm, for this share of the soak.
SEEN = 0.3
# From here on a soak is long: what a process loads when it does something for the first time is
# behind it.
LONG = 600.0


@dataclass(frozen=True)
class Quantity:
    """`once` is the noise of a long soak, `early` that of a short one.

    Three MiB: a pool opens its last connections, and the allocator settles, long after the start.
    So half an hour shows a leak of 8 MiB an hour, and a night one of less than 2.
    """

    name: str
    unit: str
    of: Callable[[Sample], float | None]
    hourly: float
    once: float
    early: float

    def bound(self, seconds: float) -> Bound:
        return Bound(self.hourly, self.once if seconds >= LONG else self.early)


QUANTITIES = (
    Quantity("RSS", "MiB", lambda s: s.rss / MIB, hourly=1, once=3, early=12),
    Quantity("USS", "MiB", lambda s: s.uss / MIB, hourly=1, once=3, early=12),
    Quantity("descriptors", "", lambda s: s.other_files, hourly=0, once=6, early=8),
    Quantity("threads", "", lambda s: s.threads, hourly=0, once=6, early=8),
    Quantity("tasks", "", lambda s: s.tasks, hourly=0, once=6, early=8),
)


@dataclass(frozen=True)
class Judged:
    """One quantity of one process. `explained`: units by which it may have grown besides."""

    process: str
    quantity: Quantity
    trend: Trend
    bound: Bound
    explained: float = 0.0

    @property
    def broken(self) -> bool:
        """Whether it grows beyond its bound."""
        return Bound(self.bound.hourly, self.bound.once + self.explained).broken(self.trend)

    def __str__(self) -> str:
        unit = f" {self.quantity.unit}" if self.quantity.unit else ""
        return (
            f"{self.quantity.name} of {self.process} grows: {self.trend.first:.1f} →"
            f" {self.trend.last:.1f}{unit} in {self.trend.seconds / 60:.1f} min,"
            f" {self.trend.slope:+.1f}{unit} an hour (± {2 * self.trend.error:.1f})"
        )


def warm_up(seconds: float) -> float:
    """Of a soak of so many seconds."""
    least, most = WARM_UP_SECONDS
    return min(max(seconds * WARM_UP, least), most)


def judge(
    samples: Sequence[Sample], seconds: float, names: dict[int, str], pages: Pages
) -> list[Judged]:
    """All quantities of all processes that were seen for long enough; `names`: those of pids."""
    found = []
    for pid, name in names.items():
        mine = [s for s in samples if s.pid == pid]
        if not mine:
            continue
        warm = [s for s in mine if s.t - mine[0].t >= warm_up(seconds)]
        if not warm or warm[-1].t - warm[0].t < SEEN * (seconds - warm_up(seconds)):
            continue
        for quantity in QUANTITIES:
            points = [(s.t, v) for s in warm if (v := quantity.of(s)) is not None]
            trend = fit([t for t, _ in points], [v for _, v in points]) if points else None
            if trend is None:
                continue
            cache = pages.explained(warm[0].t, warm[-1].t) / MIB if quantity.unit == "MiB" else 0.0
            found.append(Judged(name, quantity, trend, quantity.bound(seconds), cache))
    return found
