"""The sweep: once a second it compares the database with what this process has passed on.

One query for the heads of all active rooms, one for access changes. It is what makes lost
news cost a little time and never a message, and what ends sockets while Redis is away.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from django.utils import timezone

from tertulia.hub.hub import RENEW
from tertulia.protocol.errors import Close, ProtocolError

from .log import AccessNews
from .models import AccessChange, Installation, Room
from .validity import ended_sessions, ended_tokens

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
_CHUNK = 900


class Swept(msgspec.Struct):
    """What one look at the database has shown."""

    heads: list[tuple[int, int]]
    changes: list[AccessNews]
    epoch: str | None


def look(room_ids: list[int], after: int) -> Swept:
    """Heads of these rooms, access changes after this id, and the epoch."""
    heads: list[tuple[int, int]] = []
    for start in range(0, len(room_ids), _CHUNK):
        some = room_ids[start : start + _CHUNK]
        heads += Room.objects.filter(pk__in=some).values_list("pk", "head")
    rows = (
        AccessChange.objects.filter(pk__gt=after)
        .order_by("pk")
        .values_list(
            *("pk", "kind", "participant__public_id", "participant_id", "room_id", "room__slug")
        )
    )
    epoch = Installation.objects.values_list("epoch", flat=True).first()
    return Swept(heads, [AccessNews(*row) for row in rows], epoch)


def prune() -> None:
    """Forget access changes that every process has seen long ago."""
    AccessChange.objects.filter(at__lt=timezone.now() - KEPT).delete()


class Sweep:
    """Runs beside the hub for as long as the process serves."""

    def __init__(self, runtime: Runtime, last_change: int) -> None:
        self._runtime = runtime
        # Ids that have been acted upon since `_base`; `_marks` are the newest ids of the
        # last `LOOK_BACK` sweeps, the oldest of which becomes the base.
        self._base = last_change
        self._seen: set[int] = set()
        self._marks: list[int] = []
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
                if ticks % int(RENEW) == 0:
                    runtime.hub.renew_presence()
                    runtime.limiter.prune(runtime.loop.time())
                if runtime.link.failing or ticks % REJOIN == 0:
                    self._rejoin()
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
        self._base = last_change
        self._seen.clear()
        self._marks.clear()

    async def _sweep(self) -> None:
        runtime = self._runtime
        hub = runtime.hub
        if not hub.connections and not hub.rooms and self._count % LOOK_BACK:
            return
        swept = await runtime.readers.run(look, list(hub.rooms), self._base)
        if swept.epoch is not None and swept.epoch != runtime.epoch:
            runtime.new_history(swept.epoch)
            return
        for room_id, head in swept.heads:
            hub.head_known(room_id, head)
        for change in swept.changes:
            runtime.access_changed(change)
        self._advance(max([self._base, *(change.id for change in swept.changes)]))
        await self._now_and_then()

    def _advance(self, newest: int) -> None:
        self._marks.append(newest)
        if len(self._marks) > LOOK_BACK:
            self._base = max(self._base, self._marks.pop(0))
            self._seen = {seen for seen in self._seen if seen > self._base}

    async def _now_and_then(self) -> None:
        if self._count % VALIDITY == 0:
            await self._check_validity()
        if self._count % PRUNE == 0:
            await self._runtime.readers.run(prune)

    async def _check_validity(self) -> None:
        connections = list(self._runtime.hub.connections)
        sessions = {c.session_key for c in connections if c.session_key is not None}
        tokens = {c.token_digest for c in connections if c.token_digest is not None}
        if sessions:
            sessions = await self._runtime.readers.run(ended_sessions, list(sessions))
        if tokens:
            tokens = await self._runtime.readers.run(ended_tokens, list(tokens))
        for connection in connections:
            if connection.session_key in sessions or connection.token_digest in tokens:
                connection.close(Close.UNAUTHENTICATED)
