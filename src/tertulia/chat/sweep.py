"""The sweep: once a second it compares the database with what this process has passed on.

One query for the heads of all active rooms, one for access changes. It is what makes lost
news cost a little time and never a message, and what ends sockets while Redis is away.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from django.db import connection as database
from django.utils import timezone

from tertulia.hub.hub import RENEW
from tertulia.protocol.errors import Close, ProtocolError

from .log import AccessNews
from .models import AccessChange
from .sql.pages import state_of
from .validity import ended_bearers, ended_sessions, ended_tokens

if TYPE_CHECKING:
    from .runtime import Runtime

logger = logging.getLogger(__name__)

SECOND = 1.0
# A transaction may commit its access change after one with a higher id: look back this long.
LOOK_BACK = 20
# Seconds between two looks at whether all sessions and tokens still hold.
VALIDITY = 20
PRUNE = 3_600
# Seconds between two times of joining all groups of the layer anew.
REJOIN = 10
KEPT = timedelta(days=1)
# Seconds after which what a look has shown is too old to judge a connect token by: whatever ends
# a sign-in is to be known within two.
FRESH = 2.0
# Seconds for which a process that has no connections any more goes on looking: their connect
# tokens are good for a minute.
LINGER = 60
# Changes of so many seconds before its start are known to a process: connect tokens that were
# made a minute before, with a mark of `LOOK_BACK` seconds before that, can be judged by them.
REMEMBERED = timedelta(seconds=150)


class Swept(msgspec.Struct):
    """What one look at the database has shown."""

    heads: list[tuple[int, int]]
    changes: list[AccessNews]
    epoch: str | None


def look(room_ids: list[int], after: int) -> Swept:
    """Heads of these rooms, access changes after this id, and the epoch.

    One statement, and another where there are changes: every process asks each second.
    """
    heads, epoch, newest = state_of(database, room_ids, after)
    return Swept(heads, _changes_after(after) if newest is not None else [], epoch)


def _changes_after(after: int) -> list[AccessNews]:
    changes = AccessChange.objects.filter(pk__gt=after).order_by("pk")
    rows = changes.values_list(
        *("pk", "kind", "participant__public_id", "participant_id", "room_id", "room__slug")
    )
    return [AccessNews(*row) for row in rows]


class Recent(msgspec.Struct):
    """The changes of access before a start: all those after the id `horizon`, ascending.

    `base` is the last that is so old that no transaction with a lower id can still be open.
    """

    horizon: int
    base: int
    changes: list[AccessNews]


def recent() -> Recent:
    """What a process that starts has to know."""
    now = timezone.now()
    horizon = _last_before(now - REMEMBERED)
    base = _last_before(now - timedelta(seconds=LOOK_BACK))
    return Recent(horizon, base, _changes_after(horizon))


def _last_before(time: datetime) -> int:
    # By the index of their times: down the primary key SQLite would sort all those before. Where
    # clocks differ it is a lower id, which is only more to look at.
    changes = AccessChange.objects.filter(at__lt=time).order_by("-at", "-pk")
    return changes.values_list("pk", flat=True).first() or 0


def prune() -> None:
    """Forget access changes that every process has seen long ago."""
    AccessChange.objects.filter(at__lt=timezone.now() - KEPT).delete()


class Sweep:
    """Runs beside the hub for as long as the process serves."""

    def __init__(self, runtime: Runtime, known: Recent, looked: float) -> None:
        """`known` was read after `looked`, by the loop's clock."""
        self._runtime = runtime
        # Every change up to `base` has been heard of. Ids that have been acted upon since;
        # `_marks` are the newest ids of the last `LOOK_BACK` sweeps, the oldest of which
        # becomes the base.
        self.base = known.base
        self._seen = {change.id for change in known.changes if change.id > known.base}
        self._marks: list[int] = []
        # When the last look that succeeded was begun.
        self._looked = looked
        # Sweeps in a row that found neither connections nor rooms.
        self._idle = 0
        self._away = False
        self._count = 0
        # For the metrics: looks at the database, and those that failed.
        self.sweeps = 0
        self.failures = 0
        self._rejoining: asyncio.Task[None] | None = None

    async def tick(self) -> None:
        """Heartbeats and leases, until cancelled: they wait for no database and no layer."""
        runtime = self._runtime
        ticks = 0
        while True:
            await asyncio.sleep(SECOND)
            ticks += 1
            try:
                runtime.hub.tick()
                # Each of those who have just come in a crowd has a bucket or two.
                runtime.limiter.prune(runtime.loop.time())
                if ticks % int(RENEW) == 0:
                    runtime.hub.renew_presence()
                if runtime.link.failing or ticks % REJOIN == 0:
                    self._rejoin()
                for part in runtime.parts:
                    part.tick()
            except Exception:
                logger.exception("A tick failed")

    def _rejoin(self) -> None:
        """One at a time, however long the layer takes."""
        if self._rejoining is None or self._rejoining.done():
            self._rejoining = self._runtime.hub.spawn(self._runtime.link.rejoin())

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SECOND)
            self._count += 1
            self.sweeps += 1
            try:
                await self._sweep()
                if self._away:
                    self._away = False
                    logger.warning("The database answers the sweep again")
            except ProtocolError:
                self._away = True
                self.failures += 1
            except Exception:
                self.failures += 1
                logger.exception("The sweep failed")

    @property
    def fresh(self) -> bool:
        """Whether all that was committed two seconds ago has been heard of."""
        return self._runtime.loop.time() - self._looked <= FRESH

    def is_new(self, change: AccessNews) -> bool:
        """Whether this change has not been acted upon yet; from now on it has.

        An id below the base may still be news: its transaction may have been open for long.
        """
        if change.id in self._seen:
            return False
        self._seen.add(change.id)
        return True

    def begin_anew(self, last_change: int) -> None:
        """The history is another one, whose ids may be lower."""
        self.base = last_change
        self._seen.clear()
        self._marks.clear()

    async def _sweep(self) -> None:
        runtime = self._runtime
        hub = runtime.hub
        self._idle = 0 if hub.open or hub.rooms else self._idle + 1
        if self._idle > LINGER and self._count % LOOK_BACK:
            return
        began = runtime.loop.time()
        rooms = {*hub.rooms, *runtime.unheard.next_rooms()}
        swept = await runtime.readers.run(look, list(rooms), self.base)
        if swept.epoch is not None and swept.epoch != runtime.epoch:
            runtime.heard_of_history(swept.epoch)
            return
        for room_id, head in swept.heads:
            hub.head_known(room_id, head)
        runtime.unheard.seen(swept.heads)
        for change in swept.changes:
            runtime.access_changed(change)
        self._looked = began
        self._advance(max([self.base, *(change.id for change in swept.changes)]))
        await self._now_and_then()

    def _advance(self, newest: int) -> None:
        self._marks.append(newest)
        if len(self._marks) > LOOK_BACK:
            self.base = max(self.base, self._marks.pop(0))
            self._seen = {seen for seen in self._seen if seen > self.base}

    async def _now_and_then(self) -> None:
        if self._count % VALIDITY == 0:
            await self._check_validity()
        if self._count % PRUNE == 0:
            await self._runtime.readers.run(prune)

    async def _check_validity(self) -> None:
        connections = self._runtime.hub.connections
        sessions = {c.session_key for c in connections if c.session_key is not None}
        tokens = {c.token_digest for c in connections if c.token_digest is not None}
        bearers = {c.bearer for c in connections if c.bearer is not None}
        readers = self._runtime.readers
        ended: set[str | None] = set()
        if sessions:
            ended |= await readers.run(ended_sessions, list(sessions))
        if tokens:
            ended |= await readers.run(ended_tokens, list(tokens))
        if bearers:
            ended |= await readers.run(ended_bearers, list(bearers))
        for connection in connections if ended else ():
            mine = {connection.session_key, connection.token_digest, connection.bearer}
            if not ended.isdisjoint(mine):
                connection.close(Close.UNAUTHENTICATED)
