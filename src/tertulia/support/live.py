"""The desk's part of a process's live side: who of the agents is here, what they are told, and
what has to happen by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tertulia.chat.activity import Pace
from tertulia.chat.log import AccessNews, Watched
from tertulia.chat.models import AccessChange
from tertulia.chat.news import Activity
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import ProtocolError
from tertulia.protocol.events import ConversationActivity

from .actions import AssignQueued, RenewHere, UnassignConversation, WakeConversation
from .actions.desk import RENEW
from .assigning import abandoned, queued
from .read import agents_by_inbox, due

if TYPE_CHECKING:
    from tertulia.chat.runtime import Runtime

# Ticks between two looks at what is to be woken or assigned; the sweep ticks once a second.
LOOK = 2
# Ticks after which the agents are read again by themselves, whatever was told, and conversations
# are looked for whose agent has gone.
REREAD = 60


class _Told(msgspec.Struct):
    """One conversation's news, as `Pace` keeps them back."""

    room_id: int
    watched: Watched

    def merged(self, later: _Told) -> _Told:
        return _Told(self.room_id, self.watched.merged(later.watched))


class Desk:
    """Of one runtime. Where no inbox has an agent it does next to nothing."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # Of each inbox, by primary key: its agents by public id. None: not known yet.
        self._agents: dict[int, dict[str, int]] | None = None
        self._reading = False
        # Counts what makes them others.
        self._version = 0
        # Told while the agents were being read.
        self._waiting: list[_Told] = []
        self._pace: Any = Pace(runtime.hub, self._tell)  # type: ignore[arg-type]
        # Agents, by primary key, who were here when it was last written.
        self._here: set[int] = set()
        self._ticks = 0
        self._looking = False

    # What agents are told

    def grown(self, item: Activity) -> None:
        watched = item.watched
        if watched is not None:
            self._pace.put(_Told(watched.id, watched))

    def _tell(self, told: _Told) -> None:
        if self._agents is None:
            self._waiting.append(told)
            self._read()
            return
        for pk, name in told.watched.by:
            news = ConversationActivity(told.watched.slug, name, told.watched.head)
            payload = encode(news)
            for person_id in self._agents.get(pk, ()):
                for connection in self._runtime.hub.people.get(person_id, ()):
                    if not connection.classic:
                        connection.send(payload)

    def heard(self, change: AccessNews) -> None:
        if change.kind == AccessChange.Kind.ROOM and change.person_id and not change.room_id:
            self._outdated()

    def _outdated(self) -> None:
        self._agents = None
        self._version += 1

    def forget(self) -> None:
        self._outdated()
        self._here.clear()
        self._waiting.clear()
        self._pace.forget()

    # Who they are

    def _read(self) -> None:
        if not self._reading:
            self._reading = True
            self._runtime.hub.spawn(self._read_agents())

    async def _read_agents(self) -> None:
        agents: dict[int, dict[str, int]] = {}
        version = self._version
        try:
            rows = await self._runtime.readers.run(agents_by_inbox)
        except ProtocolError:
            # Asked again with the next tick.
            return
        finally:
            self._reading = False
        if version != self._version:
            self._read()
            return
        for inbox, person_id, pk in rows:
            agents.setdefault(inbox, {})[person_id] = pk
        self._agents = agents
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            self._tell(told)

    # Once a second

    def tick(self) -> None:
        self._ticks += 1
        if self._runtime.hub.people and (self._agents is None or self._ticks % REREAD == 0):
            self._read()
        if not self._agents:
            return
        self._renew(self._agents)
        if self._ticks % LOOK == 0 and not self._looking:
            self._looking = True
            self._runtime.hub.spawn(self._look())

    def _renew(self, agents: dict[int, dict[str, int]]) -> None:
        people = self._runtime.hub.people
        here = {
            pk for each in agents.values() for person_id, pk in each.items() if person_id in people
        }
        if here == self._here and not (here and self._ticks % RENEW == 0):
            return
        gone, self._here = self._here - here, here
        self._submit(RenewHere(sorted(here), sorted(gone)))

    async def _look(self) -> None:
        try:
            for slug in await self._runtime.readers.run(due):
                self._submit(WakeConversation(slug))
            if self._ticks % REREAD < LOOK:
                for slug in await self._runtime.readers.run(abandoned):
                    self._submit(UnassignConversation(slug))
            served = [pk for pk, each in (self._agents or {}).items() if self._anybody(each)]
            if served:
                for slug in await self._runtime.readers.run(queued, served):
                    self._submit(AssignQueued(slug))
        except ProtocolError:
            # The database is away: with the next look.
            return
        finally:
            self._looking = False

    def _anybody(self, agents: dict[str, int]) -> bool:
        return any(pk in self._here for pk in agents.values())

    def _submit(self, action: Any) -> None:
        self._runtime.writer.submit(action, _nobody_asked)


def _nobody_asked(outcome: Any) -> None:
    """What fails now is done by a later look."""
