"""Token buckets: rates for a person or an address, which survive a reconnect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple

# Seconds by which a sum of many small floats may be wrong.
ROUNDING = 1e-6


class Rate(NamedTuple):
    """`burst` acts at once, then `per_second`."""

    burst: float
    per_second: float


class Limiter:
    """Buckets by key. Full ones are forgotten, so memory follows activity.

    All that there is to know of a bucket is when it will be full again: a single number each.
    Times are of a monotonic clock, in seconds.
    """

    def __init__(self, rates: dict[str, Rate]) -> None:
        self.rates = rates
        # How often each rate was exceeded, for the metrics.
        self.refused: Counter[str] = Counter()
        self._full_at: dict[str, dict[Hashable, float]] = {name: {} for name in rates}

    def take(self, name: str, key: Hashable, now: float, amount: float = 1.0) -> float:
        """0.0 when `amount` was there, else the seconds until it will be (nothing is taken).

        `name` is one of `rates`; a negative amount is given back.
        """
        burst, per_second = self.rates[name]
        full_at = self._full_at[name]
        then = max(full_at.get(key, now), now) + amount / per_second
        wait = then - now - burst / per_second
        if wait > ROUNDING:
            self.refused[name] += 1
            return wait
        full_at[key] = then
        return 0.0

    def prune(self, now: float) -> None:
        """Forget full buckets."""
        for name, full_at in self._full_at.items():
            # A dictionary from which much is deleted would keep its size.
            self._full_at[name] = {key: full for key, full in full_at.items() if full > now}

    def __len__(self) -> int:
        return sum(map(len, self._full_at.values()))
