"""Guessing passwords and making accounts in bulk are slowed down, per name and per address."""

from __future__ import annotations

import threading
import time
from math import ceil

from django.http import HttpRequest

from tertulia.chat.conf import conf
from tertulia.chat.slugs import fold
from tertulia.chat.throttle import address
from tertulia.hub.limits import Limiter, Rate

# Failed sign-ins of one name, from anywhere; failed sign-ins from one address, whatever
# names; new accounts from one address; links for a new password, to one mail address and from
# one network address. The counts are of one process: several workers admit so many times more.
RATES = {
    "sign_in_name": Rate(burst=10, per_second=1 / 30),
    "sign_in_address": Rate(burst=30, per_second=1 / 10),
    "sign_up_address": Rate(burst=30, per_second=1 / 60),
    "reset_mail": Rate(burst=3, per_second=1 / 600),
    "reset_address": Rate(burst=10, per_second=1 / 60),
}
PRUNE_EVERY = 600.0  # seconds

_limiter = Limiter(RATES)
_lock = threading.Lock()
_pruned = time.monotonic()


def before_sign_in(request: HttpRequest, name: str) -> int:
    """Count an attempt before the password is looked at; seconds to wait, or 0."""
    return _take(("sign_in_address", address(request)), ("sign_in_name", _one_spelling(name)))


def after_sign_in(request: HttpRequest, name: str) -> None:
    """The attempt succeeded: it was no guess, and does not count."""
    _give_back(("sign_in_address", address(request)), ("sign_in_name", _one_spelling(name)))


def _one_spelling(name: str) -> str:
    """As the form reads a name: else each blank before it would be a name of its own."""
    return fold(name.strip()).strip()


def before_sign_up(request: HttpRequest) -> int:
    """Count a new account; seconds to wait, or 0."""
    return _take(("sign_up_address", address(request)))


def before_reset(request: HttpRequest, mail: str) -> int:
    """Count a link for a new password, known address or not; seconds to wait, or 0."""
    return _take(("reset_address", address(request)), ("reset_mail", fold(mail)))


def _take(*keys: tuple[str, str]) -> int:
    if not conf.limits:
        return 0
    now = time.monotonic()
    with _lock:
        _prune(now)
        taken: list[tuple[str, str]] = []
        for kind, key in keys:
            wait = _limiter.take(kind, key, now)
            if wait:
                _refund(taken, now)
                return ceil(wait)
            taken.append((kind, key))
    return 0


def _give_back(*keys: tuple[str, str]) -> None:
    if conf.limits:
        with _lock:
            _refund(list(keys), time.monotonic())


def _refund(keys: list[tuple[str, str]], now: float) -> None:
    for kind, key in keys:
        # The next taking cuts what would be more than the burst.
        _limiter.take(kind, key, now, amount=-1.0)


def _prune(now: float) -> None:
    global _pruned
    if now - _pruned > PRUNE_EVERY:
        _limiter.prune(now)
        _pruned = now
