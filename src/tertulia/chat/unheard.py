"""Rooms that have grown without anybody telling of it: a program of the host's appended where no
layer leads from, or a process died behind its commit. Subscribers have the sweep's heads; here are
the members who are connected and look at something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Max, Q

from tertulia.protocol.errors import ProtocolError
from tertulia.protocol.events import Person

from .activity import PACE
from .models import Mention, Message, Participant, Room
from .news import Activity
from .people import person_of

if TYPE_CHECKING:
    from .runtime import Runtime

# Rooms of which a sweep asks besides those that somebody is subscribed to; the others have their
# turn in the seconds after it.
AT_ONCE = 1_000
# Seconds in which news of what has just been committed come by themselves: of a lively room they
# are told at that pace.
PATIENCE = PACE + 0.3
# Rooms in one statement.
TOGETHER = 100


def activity_since(known: dict[int, int]) -> list[Activity]:
    """What there is to tell of these rooms, by primary key, since the log stood at these heads."""
    heads = list(known.items())
    return [
        item
        for start in range(0, len(heads), TOGETHER)
        for item in _activity_since(dict(heads[start : start + TOGETHER]))
    ]


def _activity_since(known: dict[int, int]) -> list[Activity]:
    since = Q()
    for room_id, head in known.items():
        since |= Q(room=room_id, seq__gt=head)
    mentions = Mention.objects.filter(since).values_list("room_id", "participant__public_id")
    mentioned: dict[int, list[str]] = {}
    for room_id, person_id in mentions.distinct():
        mentioned.setdefault(room_id, []).append(person_id)
    said = Message.objects.filter(since).values_list("room_id", "author_id")
    last = list(said.annotate(last=Max("seq")).order_by())
    people = Participant.objects.in_bulk({author_id for _, author_id, _ in last})
    spoken: dict[int, dict[str, tuple[Person, int]]] = {}
    for room_id, author_id, seq in last:
        person = person_of(people[author_id])
        spoken.setdefault(room_id, {})[person.id] = (person, seq)
    rooms = Room.objects.filter(pk__in=known).only("slug", "head", "messages")
    return [
        Activity(
            *(room.pk, room.slug, room.head, room.messages),
            *(sorted(mentioned.get(room.pk, ())), spoken.get(room.pk, {})),
        )
        for room in rooms
    ]


class Unheard:
    """What this process knows of the rooms of the members who are here."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        # The head up to which the members of a room have been told, or found it when they came.
        self._told: dict[int, int] = {}
        self._turn: list[int] = []

    def heard(self, room_id: int, head: int) -> None:
        """Its members are being told."""
        if room_id in self._told:
            self._told[room_id] = max(self._told[room_id], head)

    def forget(self) -> None:
        """The history is another one."""
        self._told.clear()
        self._turn.clear()

    def next_rooms(self) -> list[int]:
        """Those that are to be asked about now."""
        if not self._turn:
            rooms = self._runtime.interest.rooms
            self._turn = list(rooms)
            for room_id in [room_id for room_id in self._told if room_id not in rooms]:
                del self._told[room_id]
        some, self._turn = self._turn[:AT_ONCE], self._turn[AT_ONCE:]
        return some

    def seen(self, heads: Iterable[tuple[int, int]]) -> None:
        """The database has shown these heads."""
        rooms, told = self._runtime.interest.rooms, self._told
        grown = [one for one, head in heads if one in rooms and head > told.setdefault(one, head)]
        if grown:
            self._runtime.hub.spawn(self._tell(grown))

    async def _tell(self, room_ids: list[int]) -> None:
        before = {room_id: self._told.get(room_id, 0) for room_id in room_ids}
        await asyncio.sleep(PATIENCE)
        silent = {key: head for key, head in before.items() if self._told.get(key) == head}
        if not silent:
            return
        try:
            found = await self._runtime.readers.run(activity_since, silent)
        except ProtocolError:
            return  # the next sweep finds them again
        for item in found:
            if self._told.get(item.room_id) == silent[item.room_id]:
                self._runtime.activity.heard(item)
