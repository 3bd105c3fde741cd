"""Rates of what people do through pages. Those of the sockets are in `chat/runtime.py`."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Hashable
from functools import lru_cache

from django.http import HttpRequest

from tertulia.hub.limits import Limiter, Rate
from tertulia.protocol.errors import Code, ProtocolError

from .conf import conf
from .models import Participant

# A person's; of guests, who can be as many as they like, those of one network address together.
# The counts are of one process.
RATES = {
    "invite": Rate(burst=20, per_second=1 / 30),
    # Addresses to which invitations are mailed. A person's day is bounded in the database too.
    "mail": Rate(burst=40, per_second=1 / 60),
    "accept": Rate(burst=30, per_second=1 / 10),
    "profile": Rate(burst=30, per_second=1 / 10),
    # Rooms that come into being by being visited.
    "create": Rate(burst=60, per_second=0.5),
}
PRUNE_EVERY = 600.0  # seconds

_limiter = Limiter(RATES)
_lock = threading.Lock()
_pruned = time.monotonic()


def check_rate(name: str, request: HttpRequest, person: Participant, amount: int = 1) -> None:
    """Take so much of the rate `name`; raises `rate_limited` with the seconds to wait."""
    global _pruned
    if not conf.limits:
        return
    guest = person.kind == Participant.Kind.GUEST
    key: Hashable = address(request) if guest else person.pk
    now = time.monotonic()
    with _lock:
        if now - _pruned > PRUNE_EVERY:
            _limiter.prune(now)
            _pruned = now
        wait = _limiter.take(name, key, now, amount)
    if wait:
        raise ProtocolError(
            Code.RATE_LIMITED, f"Too fast: wait {wait:.1f} s.", retry_after=round(wait, 1)
        )


def address(request: HttpRequest) -> str:
    """Whence the request comes, as it is counted."""
    return counted(request.META.get("REMOTE_ADDR") or "")


@lru_cache(4_096)
def counted(text: str) -> str:
    """An address by which people are counted; of IPv6 the network of 64 bits, which one has."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
