"""What one process has done and how long it took: plain numbers, read by whoever exports them.

Counting must cost nothing where it matters, so a delivery is never counted by itself: a part
that goes to a thousand connections is one addition.
"""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

# Seconds between two looks at how late the event loop is.
LAG_EVERY = 0.25
LAG_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Histogram:
    """Observations by upper bound (inclusive, the last class has none), and their sum.

    May be fed by several threads; it is meant for what happens once a batch, not a delivery.
    """

    __slots__ = ("_lock", "bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float) -> None:
        """Count one value."""
        with self._lock:
            self.counts[bisect_left(self.bounds, value)] += 1
            self.sum += value


class Counts:
    """Counters of the live side of a process; only the event loop's thread writes them."""

    def __init__(self) -> None:
        # Connections, by protocol when they came and by why they ended: a close code of ours,
        # or 0 where the peer or the network ended it.
        self.opened = {"v1": 0, "classic": 0}
        self.closed: Counter[int] = Counter()
        # Connections closed because their outbox was full.
        self.overflows = 0
        # Text frames received.
        self.frames = 0
        # Events times the subscribers that they were passed on to; the same for typing and
        # the like; bytes of both as JSON, before framing.
        self.deliveries = 0
        self.passing = 0
        self.delivered_bytes = 0
        # Deliveries that failed, and rooms whose subscribers had to begin anew.
        self.failed_deliveries = 0
        self.abandoned_rooms = 0
        # Gaps by who noticed them (`sequencer`, `sweep`, `reader`); those that the log had to
        # be read for, and the events that were read. A gap may close by itself.
        self.gaps_found: Counter[str] = Counter()
        self.gaps_repaired: Counter[str] = Counter()
        self.events_repaired = 0
        # Commands by their type (None: no command was made out) and outcome, `ok` or a code.
        self.commands: Counter[tuple[type | None, str]] = Counter()
        # Subscriptions begun: afresh, as a resume, or as a reset, by its reason.
        self.fresh = 0
        self.resumes = 0
        self.resets: Counter[str] = Counter()
        # Events committed by this process and told to its hub.
        self.events = 0


class LagMeter:
    """How late the event loop is: the delay of a timer that should come every `LAG_EVERY`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.histogram = Histogram(LAG_BOUNDS)
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._due = self._loop.time() + LAG_EVERY
        self._timer = self._loop.call_at(self._due, self._come)

    def stop(self) -> None:
        """End it."""
        if self._timer is not None:
            self._timer.cancel()

    def _come(self) -> None:
        self.histogram.observe(max(0.0, self._loop.time() - self._due))
        self.start()


__all__ = ["Counts", "Histogram", "LagMeter"]
