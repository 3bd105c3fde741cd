"""How often the widget's addresses may be called, in each process."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

from tertulia.chat.conf import conf
from tertulia.hub.limits import Limiter, Rate
from tertulia.protocol.errors import Code, ProtocolError

RATES = {
    # New visitors from a network address. A whole office may come from one.
    "visitor": Rate(burst=60, per_second=1 / 5),
    # Everything that is asked from a network address.
    "ask": Rate(burst=300, per_second=10),
    # Looks for an answer by one visitor, who may have several pages open.
    "look": Rate(burst=30, per_second=1 / 3),
    # E-mail addresses left by one visitor.
    "email": Rate(burst=10, per_second=1 / 60),
}
PRUNE_EVERY = 600.0  # seconds

_limiter = Limiter(RATES)
_lock = threading.Lock()
_pruned = time.monotonic()


def check_rate(name: str, key: Hashable) -> None:
    """Take one of the rate `name`; raises `rate_limited` with the seconds to wait."""
    global _pruned
    if not conf.limits:
        return
    now = time.monotonic()
    with _lock:
        if now - _pruned > PRUNE_EVERY:
            _limiter.prune(now)
            _pruned = now
        wait = _limiter.take(name, key, now)
    if wait:
        raise ProtocolError(
            Code.RATE_LIMITED, f"Too fast: wait {wait:.1f} s.", retry_after=round(wait, 1)
        )
