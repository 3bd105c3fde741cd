"""Whose connect tokens are void: the changes of access of the last while, by person."""

from __future__ import annotations

import time
from typing import NamedTuple

from ..log import AccessNews
from ..models import AccessChange
from .token import AHEAD, Known

# People who are remembered; over it the oldest are forgotten, and older tokens with them.
MOST = 50_000
# A sign-in may have ended, or the name and picture in the token are not his any more.
_KINDS = frozenset(
    {
        AccessChange.Kind.SIGNED_OUT.value,
        AccessChange.Kind.SIGN_IN.value,
        AccessChange.Kind.PROFILE.value,
    }
)


class _Ending(NamedTuple):
    """The last change of a person; tokens made until `until` (seconds since 1970) are void."""

    id: int
    until: float


class Endings:
    """What a process has heard, by news or by the sweep, since the change `horizon`."""

    def __init__(self, horizon: int, heard: list[AccessNews]) -> None:
        self._horizon = horizon
        # By public id, the one that changed last at the end.
        self._last: dict[str, _Ending] = {}
        for change in heard:
            self.heard(change)

    def heard(self, change: AccessNews) -> None:
        """A change of access, in any order and perhaps late: once for each."""
        if change.kind not in _KINDS or change.person_id is None:
            return
        before = self._last.pop(change.person_id, None)
        newest = change.id if before is None else max(change.id, before.id)
        # Its transaction may have taken so long that tokens with a higher mark were made
        # before it ended: those are void by their time.
        self._last[change.person_id] = _Ending(newest, time.time() + AHEAD)
        if len(self._last) > MOST:
            forgotten = self._last.pop(next(iter(self._last)))
            self._horizon = max(self._horizon, forgotten.id)

    def ended(self, known: Known) -> bool:
        """Whether a token is void, or so old that nobody here can tell."""
        if known.mark < self._horizon:
            return True
        last = self._last.get(known.public_id)
        return last is not None and (known.mark < last.id or known.issued <= last.until)
