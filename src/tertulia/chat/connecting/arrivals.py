"""A look at those who have come by a connect token: a moment later, and at all of them at once.

Their token was good by all that this process had heard. What nobody tells it of (a session or
an account that was changed in the database itself) is asked here, and with it what the token
does not know: which rooms they are members of.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection as database

from tertulia.hub.connection import Connection
from tertulia.protocol.errors import Close

from ..log import AccessNews
from ..models import AccessChange, Participant
from ..people import speaker_found
from ..recheck import asked
from ..sql.identity import BY_ID, CHUNK, Found, find_people
from ..validity import ended_sessions, ended_tokens, invalid_session

if TYPE_CHECKING:
    from ..runtime import Runtime

logger = logging.getLogger(__name__)

# Seconds for which those who come are gathered.
GATHER = 0.1


class Arrival(NamedTuple):
    """Who came: a participant's primary key, and what keeps him signed in."""

    id: int
    session_key: str | None
    token_digest: str | None


def look(arrivals: list[Arrival]) -> list[Found | None]:
    """Each as he is now; None where he may not be here. At most `CHUNK` of them."""
    people = find_people(database, BY_ID, [arrival.id for arrival in arrivals])
    keys = {arrival.session_key for arrival in arrivals if arrival.session_key is not None}
    digests = {arrival.token_digest for arrival in arrivals if arrival.token_digest is not None}
    ended: set[str | None] = set()
    if keys:
        ended |= ended_sessions(list(keys))
    if digests:
        ended |= ended_tokens(list(digests))
    return [
        None if _ended(arrival, people.get(arrival.id), ended) else people[arrival.id]
        for arrival in arrivals
    ]


def _ended(arrival: Arrival, found: Found | None, ended: set[str | None]) -> bool:
    if found is None or arrival.session_key in ended or arrival.token_digest in ended:
        return True
    if arrival.session_key is None or found.active:
        return False
    # No account that may surely sign in: the host's own way of signing in decides.
    return found.kind == Participant.Kind.MEMBER and invalid_session(arrival.session_key)


class Arrivals:
    """Gathers connections that were opened by a token, and has them looked at."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: list[Connection] = []

    def add(self, connection: Connection) -> None:
        """It speaks for somebody as of now. Until he has been looked at, news of his rooms wait."""
        assert connection.person is not None
        self._runtime.interest.expect(connection.person.id)
        if not self._waiting:
            self._runtime.loop.call_later(GATHER, self._go)
        self._waiting.append(connection)

    def _go(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), CHUNK):
            self._runtime.hub.spawn(self._look(waiting[start : start + CHUNK]))

    async def _look(self, connections: list[Connection]) -> None:
        # Somebody may have gone, or speak for another by now: what is asked is kept beside it.
        looked_at = [(c, c.speaker, self._arrival(c)) for c in connections if not c.closed]
        arrivals = [arrival for _, _, arrival in looked_at]
        try:
            people: list[Found | None] = await asked(self._runtime, look, arrivals)
        except Exception:
            # Nobody knows whether they may be here: let them come back.
            logger.exception("Those who came by a connect token could not be looked at")
            for connection, _, _ in looked_at:
                connection.close(Close.TOO_SLOW, retry_after=1.0)
            return
        for (connection, speaker, arrival), found in zip(looked_at, people, strict=True):
            if connection.closed or self._arrival(connection) != arrival:
                continue
            if found is None:
                connection.close(Close.UNAUTHENTICATED)
                continue
            if connection.credential is not None:
                connection.credential = connection.credential.vouched_for()
            self._runtime.load_interest(found.public_id, found.rooms, found.mark)
            if speaker == connection.speaker != speaker_found(found):
                # Changed where nobody was told: shown as any other change of a profile.
                kind = AccessChange.Kind.PROFILE.value
                self._runtime.profiles.changed(AccessNews(found.mark, kind, found.public_id))

    def _arrival(self, connection: Connection) -> Arrival:
        return Arrival(connection.speaker.id, connection.session_key, connection.token_digest)
