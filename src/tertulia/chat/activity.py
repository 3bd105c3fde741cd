"""`room.activity`: members who are not subscribed hear that a room has grown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tertulia.hub.hub import BUDGET, Hub
from tertulia.protocol.codec import encode
from tertulia.protocol.events import RoomActivity

from . import news

if TYPE_CHECKING:
    from tertulia.hub.connection import Connection

    from .layer import LayerLink

# At most one `room.activity` a room in this many seconds.
PACE = 1.0


class Interest:
    """Which of the people connected here are members of which room."""

    def __init__(self) -> None:
        self._rooms: dict[str, set[int]] = {}
        self._people: dict[int, set[str]] = {}

    def knows(self, person_id: str) -> bool:
        """Whether this person's rooms have been loaded."""
        return person_id in self._rooms

    def load(self, person_id: str, room_ids: Iterable[int]) -> None:
        """All rooms of somebody who has connected."""
        self.forget(person_id)
        self._rooms[person_id] = set(room_ids)
        for room_id in self._rooms[person_id]:
            self._people.setdefault(room_id, set()).add(person_id)

    def enter(self, person_id: str, room_id: int) -> None:
        """He is a member of one more room."""
        if person_id in self._rooms:
            self._rooms[person_id].add(room_id)
            self._people.setdefault(room_id, set()).add(person_id)

    def leave(self, person_id: str, room_id: int) -> None:
        """He is a member of one room less."""
        self._rooms.get(person_id, set()).discard(room_id)
        people = self._people.get(room_id)
        if people is not None:
            people.discard(person_id)
            if not people:
                del self._people[room_id]

    def forget(self, person_id: str) -> None:
        """His last connection has ended."""
        for room_id in list(self._rooms.get(person_id, ())):
            self.leave(person_id, room_id)
        self._rooms.pop(person_id, None)

    def people(self, room_id: int) -> set[str]:
        """Public ids of the connected members of a room."""
        return self._people.get(room_id, set())


class ActivityTeller:
    """Tells at once, then at most every second: the newest state, and all who were mentioned."""

    def __init__(self, hub: Hub, link: LayerLink, interest: Interest) -> None:
        self._hub = hub
        self._link = link
        self._interest = interest
        self._waiting: dict[int, news.Activity] = {}
        self._paced: set[int] = set()

    def grown(self, item: news.Activity) -> None:
        """This process has appended to a room."""
        if self._link.layer is None and not self._interest.people(item.room_id):
            return
        if item.room_id in self._paced:
            before = self._waiting.get(item.room_id)
            if before is not None:
                item.mentioned = list(dict.fromkeys(before.mentioned + item.mentioned))
                item.head = max(item.head, before.head)
            self._waiting[item.room_id] = item
            return
        self._paced.add(item.room_id)
        self._hub.loop.call_later(PACE, self._pace_over, item.room_id)
        self._link.to_site(item)
        self.tell(item)

    def _pace_over(self, room_id: int) -> None:
        self._paced.discard(room_id)
        item = self._waiting.pop(room_id, None)
        if item is not None:
            self.grown(item)

    def tell(self, item: news.Activity) -> None:
        """Give it to the members connected here who are not subscribed to the room."""
        people = self._interest.people(item.room_id)
        if not people:
            return
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
            for person_id in people
            for connection in self._hub.people.get(person_id, ())
            if not connection.classic and item.room_id not in connection.subscriptions
        ]
        self._deliver(connections, payload)

    def _deliver(self, connections: list[Connection], payload: bytes) -> None:
        for connection in connections[:BUDGET]:
            connection.send(payload)
        if len(connections) > BUDGET:
            self._hub.loop.call_soon(self._deliver, connections[BUDGET:], payload)
