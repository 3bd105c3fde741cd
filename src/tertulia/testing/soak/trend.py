"""Whether a series grows: a straight line through it, and how sure that line is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

HOUR = 3_600.0
# Samples below which nothing is said.
FEW = 6


@dataclass(frozen=True)
class Trend:
    """`slope` and `error` (its standard error) in units an hour, `first` and `last` on the line."""

    slope: float
    error: float
    seconds: float
    first: float
    last: float

    @property
    def growth(self) -> float:
        """By how much it has grown at the least, were the line two standard errors flatter."""
        return (self.slope - 2 * self.error) * self.seconds / HOUR


@dataclass(frozen=True)
class Bound:
    """A series may grow by `hourly` units an hour, and once by `once`: what is noise."""

    hourly: float
    once: float

    def broken(self, trend: Trend) -> bool:
        """Whether it grows beyond it, noise set aside."""
        return trend.growth > self.hourly * trend.seconds / HOUR + self.once


def fit(times: Sequence[float], values: Sequence[float]) -> Trend | None:
    """Ordinary least squares; None for too few samples.

    Neighbouring samples resemble each other, so that they count for fewer than there are: the
    error is widened by the first autocorrelation of what the line leaves over.
    """
    count = len(times)
    if count < FEW or times[-1] <= times[0]:
        return None
    mean_t, mean_v = sum(times) / count, sum(values) / count
    spread = sum((t - mean_t) ** 2 for t in times)
    slope = sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values, strict=True)) / spread
    left = [v - mean_v - slope * (t - mean_t) for t, v in zip(times, values, strict=True)]
    squares = sum(each * each for each in left)
    alike = sum(a * b for a, b in pairwise(left)) / squares if squares else 0.0
    alike = min(max(alike, 0.0), 0.9)
    effective = max(count * (1 - alike) / (1 + alike), 3.0)
    error = math.sqrt(squares / count * count / (effective - 2) / spread)
    seconds = times[-1] - times[0]
    return Trend(
        slope=slope * HOUR,
        error=error * HOUR,
        seconds=seconds,
        first=mean_v + slope * (times[0] - mean_t),
        last=mean_v + slope * (times[-1] - mean_t),
    )
