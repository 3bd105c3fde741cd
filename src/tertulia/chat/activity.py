"""`room.activity`: members who are not subscribed hear that a room has grown.

Whoever has spoken hears on his other devices, by `read.changed`, that he has read up to there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from tertulia.hub.hub import BUDGET, Hub
from tertulia.protocol.codec import encode
from tertulia.protocol.events import Person, ReadChanged, RoomActivity

from . import news

if TYPE_CHECKING:
    from tertulia.hub.connection import Connection

    from .kinds import LivePart
    from .layer import LayerLink

# At most one `room.activity` a room in this many seconds.
PACE = 1.0

# Delivers to the connections of one person, by his public id.
Tell = Callable[[str], None]


class Interest:
    """Which of the people connected here are members of which room."""

    def __init__(self) -> None:
        # Tuples: one for each person who is here, and they seldom change.
        self._rooms: dict[str, tuple[int, ...]] = {}
        self._people: dict[int, set[str]] = {}
        # People whose rooms are still being read, in the order in which they came, with how much
        # had been told before; what has been told since, behind `_dropped` that nobody waits for.
        self._expected: dict[str, int] = {}
        self._told: list[tuple[int, Tell]] = []
        self._dropped = 0

    def knows(self, person_id: str) -> bool:
        """Whether this person's rooms have been loaded."""
        return person_id in self._rooms

    @property
    def incomplete(self) -> bool:
        """Whether the rooms of somebody who is connected are still being read."""
        return bool(self._expected)

    def expect(self, person_id: str) -> None:
        """Somebody has connected whose rooms are being read: what is told now may be for him."""
        if person_id not in self._rooms:
            self._expected.setdefault(person_id, self._dropped + len(self._told))

    def each(self, room_id: int, tell: Tell) -> None:
        """Call `tell` for each member who is here; once more for each who turns out to be one."""
        for person_id in list(self.people(room_id)):
            tell(person_id)
        self.told(room_id, tell)

    def told(self, room_id: int, tell: Tell) -> None:
        """The members who are known have been told; keep it for those who are not yet."""
        if self._expected:
            self._told.append((room_id, tell))

    def load(self, person_id: str, room_ids: Iterable[int]) -> list[tuple[int, Tell]]:
        """All rooms of somebody who has connected; what has been told of any since he came."""
        rooms = set(room_ids)
        missed: list[tuple[int, Tell]] = []
        if person_id in self._expected:
            missed = self._told[self._expected[person_id] - self._dropped :]
        self.forget(person_id)
        self._rooms[person_id] = tuple(rooms)
        for room_id in rooms:
            self._people.setdefault(room_id, set()).add(person_id)
        return missed

    def enter(self, person_id: str, room_id: int) -> None:
        """He is a member of one more room."""
        if person_id in self._rooms:
            rooms = self._rooms[person_id]
            self._rooms[person_id] = rooms if room_id in rooms else (*rooms, room_id)
            self._people.setdefault(room_id, set()).add(person_id)

    def leave(self, person_id: str, room_id: int) -> None:
        """He is a member of one room less."""
        rooms = self._rooms.get(person_id)
        if rooms is not None and room_id in rooms:
            self._rooms[person_id] = tuple(room for room in rooms if room != room_id)
        people = self._people.get(room_id)
        if people is not None:
            people.discard(person_id)
            if not people:
                del self._people[room_id]

    def forget(self, person_id: str) -> None:
        """His last connection has ended."""
        for room_id in self._rooms.pop(person_id, ()):
            self.leave(person_id, room_id)
        if self._expected.pop(person_id, None) is not None:
            self._drop_told()

    def forget_all(self) -> None:
        """The history is another one, in which others may be members."""
        for person_id in [*self._rooms, *self._expected]:
            self.forget(person_id)

    def _drop_told(self) -> None:
        """What was told before the first of those who are expected came is for none of them."""
        end = self._dropped + len(self._told)
        first = next(iter(self._expected.values()), end)
        del self._told[: first - self._dropped]
        self._dropped = first

    @property
    def rooms(self) -> Mapping[int, set[str]]:
        """The rooms that have members here, with their public ids."""
        return self._people

    def people(self, room_id: int) -> set[str]:
        """Public ids of the connected members of a room."""
        return self._people.get(room_id, set())


class Pace:
    """Passes a room's item on at once, then at most every second: the newest, merged."""

    def __init__(self, hub: Hub, emit: Callable[[news.Activity], None]) -> None:
        self._loop = hub.loop
        self._emit = emit
        self._waiting: dict[int, news.Activity] = {}
        self._paced: set[int] = set()

    def put(self, item: news.Activity) -> None:
        room_id = item.room_id
        if room_id in self._paced:
            before = self._waiting.get(room_id)
            self._waiting[room_id] = item if before is None else before.merged(item)
            return
        self._paced.add(room_id)
        self._loop.call_later(PACE, self._over, room_id)
        self._emit(item)

    def forget(self) -> None:
        """What waits is not to be passed on."""
        self._waiting.clear()

    def _over(self, room_id: int) -> None:
        self._paced.discard(room_id)
        item = self._waiting.pop(room_id, None)
        if item is not None:
            self.put(item)


class ActivityTeller:
    """Tells the members connected here; and the other processes, of what this one has written."""

    def __init__(self, hub: Hub, link: LayerLink, interest: Interest) -> None:
        self._hub = hub
        self._link = link
        self._interest = interest
        self._to_site = Pace(hub, link.to_site)
        self._to_members = Pace(hub, self._tell)
        self.parts: list[LivePart] = []
        # Is told whatever the members are told.
        self.on_heard: Callable[[int, int], None] = lambda room_id, head: None

    def grown(self, item: news.Activity) -> None:
        """This process has appended to a room."""
        if self._link.layer is not None:
            self._to_site.put(item)
        self.heard(item)

    def heard(self, item: news.Activity) -> None:
        """A room has grown, by whomever."""
        if item.watched is not None:
            for part in self.parts:
                part.grown(item)
        if self._interest.people(item.room_id) or self._interest.incomplete:
            self.on_heard(item.room_id, item.head)
            self._to_members.put(item)

    def forget(self) -> None:
        """The history is another one: what waits to be told belongs to the one before."""
        self._to_site.forget()
        self._to_members.forget()
        self._interest.forget_all()

    def _tell(self, item: news.Activity) -> None:
        """Give it to the members connected here who are not subscribed to the room."""
        self._tell_members(item, self._interest.people(item.room_id))
        self._interest.told(item.room_id, lambda person_id: self._tell_members(item, {person_id}))
        for person, seq in item.spoken.values():
            self._tell_author(item, person, seq)

    def _tell_members(self, item: news.Activity, members: set[str]) -> None:
        payload = encode(
            RoomActivity(
                room=item.slug,
                head=item.head,
                messages=item.messages,
                mentioned=item.mentioned,
            )
        )
        connections = [
            connection
            for person_id in members
            for connection in self._hub.people.get(person_id, ())
            if not connection.classic and connection.subscription(item.room_id) is None
        ]
        self._deliver(connections, payload)

    def _tell_author(self, item: news.Activity, person: Person, seq: int) -> None:
        """Sending marks read: his other devices must not count what he said himself as unread."""
        connections = [
            connection
            for connection in self._hub.people.get(person.id, ())
            if not connection.classic and connection.subscription(item.room_id) is None
        ]
        if connections:
            self._deliver(connections, encode(ReadChanged(room=item.slug, read=seq, who=person)))

    def _deliver(self, connections: list[Connection], payload: bytes) -> None:
        for connection in connections[:BUDGET]:
            connection.send(payload)
        if len(connections) > BUDGET:
            self._hub.loop.call_soon(self._deliver, connections[BUDGET:], payload)
