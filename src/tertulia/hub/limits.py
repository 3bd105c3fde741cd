"""Token buckets: rates for a person or an address, which survive a reconnect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from typing import NamedTuple


class Rate(NamedTuple):
    """`burst` acts at once, then `per_second`."""

    burst: float
    per_second: float


class TokenBucket:
    """Classic token bucket; `now` is a monotonic time in seconds."""

    __slots__ = ("level", "rate", "stamp")

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate = rate
        self.level = rate.burst
        self.stamp = now

    def take(self, now: float, amount: float = 1.0) -> float:
        """0.0 when `amount` was there, else the seconds until it will be (nothing is taken)."""
        burst, per_second = self.rate
        self.level = min(burst, self.level + (now - self.stamp) * per_second)
        self.stamp = now
        if self.level >= amount:
            self.level -= amount
            return 0.0
        return (amount - self.level) / per_second

    def full_at(self, now: float) -> bool:
        """Whether forgetting the bucket would change nothing."""
        burst, per_second = self.rate
        return self.level + (now - self.stamp) * per_second >= burst


class Limiter:
    """Buckets by key. Full ones are forgotten, so memory follows activity."""

    def __init__(self, rates: dict[str, Rate]) -> None:
        self.rates = rates
        # How often each rate was exceeded, for the metrics.
        self.refused: Counter[str] = Counter()
        self._buckets: dict[tuple[str, Hashable], TokenBucket] = {}

    def take(self, name: str, key: Hashable, now: float, amount: float = 1.0) -> float:
        """Seconds to wait, or 0.0. `name` is one of `rates`."""
        bucket = self._buckets.get((name, key))
        if bucket is None:
            bucket = self._buckets[name, key] = TokenBucket(self.rates[name], now)
        wait = bucket.take(now, amount)
        if wait:
            self.refused[name] += 1
        return wait

    def prune(self, now: float) -> None:
        """Forget full buckets."""
        full = [key for key, bucket in self._buckets.items() if bucket.full_at(now)]
        for key in full:
            del self._buckets[key]

    def __len__(self) -> int:
        return len(self._buckets)
