"""Who is here: own connections, and leases that the other processes renew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tertulia.protocol.codec import encode
from tertulia.protocol.events import Person, PresenceChanged
from tertulia.protocol.limits import HERE

if TYPE_CHECKING:
    from .connection import Connection
    from .room import LiveRoom

# A process says who is here this often (seconds), and is believed for LEASE seconds.
RENEW = 10.0
LEASE = 25.0
# At most one `presence.changed` a room in this many seconds.
PACE = 1.0
# The first change is told after this little wait, so that a crowd arriving is told once.
SOON = 0.05


class Presence:
    """The people in one room. A person with three tabs is here once."""

    __slots__ = (
        "_changed_here",
        "_due",
        "_leases",
        "_more",
        "_new",
        "_people",
        "_room",
        "_told",
        "_told_at",
    )

    def __init__(self, room: LiveRoom) -> None:
        self._room = room
        # Those of this process, and how many more connections than one some of them have.
        self._people: dict[str, Person] = {}
        self._more: dict[str, int] = {}
        self._leases: dict[str, tuple[float, list[Person], int]] = {}
        # Connections that have come since it was last told who is here.
        self._new: set[Connection] = set()
        self._told: bytes | None = None
        self._told_at = -PACE
        self._due = False
        # Whether the other processes have something to hear from this one.
        self._changed_here = False

    def enter(self, connection: Connection, *, unseen: bool = False) -> None:
        """A connection has become live in the room. `unseen`: it is told who is here, no more."""
        person = connection.person
        if person is None:
            return
        if unseen:
            pass
        elif person.id in self._people:
            self._more[person.id] = self._more.get(person.id, 0) + 1
        else:
            self._people[person.id] = person
            self._changed(local=True)
        if connection.classic:
            return
        if unseen and self._told is None:
            # Nobody's coming will be told.
            connection.send(encode(PresenceChanged(room=self._room.slug, here=self.here())))
        elif self._due or self._told is None:
            self._new.add(connection)
        else:
            connection.send(self._told)

    def leave(self, connection: Connection, *, unseen: bool = False) -> None:
        """A connection has left the room."""
        person = connection.person
        self._new.discard(connection)
        if unseen or person is None or person.id not in self._people:
            return
        more = self._more.pop(person.id, 0)
        if more == 0:
            del self._people[person.id]
            self._changed(local=True)
        elif more > 1:
            self._more[person.id] = more - 1

    def person_changed(self, person: Person) -> None:
        """Somebody who may be here has another name or picture."""
        if person.id in self._people and self._people[person.id] != person:
            self._people[person.id] = person
            self._changed(local=True)

    def lease(self, origin: str, people: list[Person], count: int, now: float) -> None:
        """Another process says who is here with it; `people` is empty when there are too many."""
        if count == 0:
            changed = self._leases.pop(origin, None) is not None
        else:
            before = self._leases.get(origin)
            changed = before is None or before[1] != people or before[2] != count
            self._leases[origin] = (now + LEASE, people, count)
        if changed:
            self._changed()

    def expire(self, now: float) -> None:
        """Forget processes that have not renewed."""
        gone = [origin for origin, lease in self._leases.items() if lease[0] < now]
        for origin in gone:
            del self._leases[origin]
        if gone:
            self._changed()

    def local(self) -> tuple[list[Person], int]:
        """What this process tells the others."""
        count = len(self._people)
        return (list(self._people.values()) if count <= HERE else []), count

    def here(self) -> list[Person] | int:
        """Everybody, or above 100 members (or people) only how many."""
        people = dict(self._people)
        uncounted = 0
        for _, others, count in self._leases.values():
            people.update({person.id: person for person in others})
            uncounted += count if not others else 0
        total = len(people) + uncounted
        if self._room.members > HERE or total > HERE:
            return total
        return sorted(people.values(), key=lambda person: (person.name, person.id))

    def _changed(self, *, local: bool = False) -> None:
        self._changed_here |= local
        if self._due:
            return
        self._due = True
        loop = self._room.hub.loop
        wait = max(SOON, self._told_at + PACE - loop.time())
        loop.call_later(wait, self._tell)

    def _tell(self) -> None:
        self._due = False
        room = self._room
        if self._changed_here:
            self._changed_here = False
            room.hub.presence_changed(room)
        payload = encode(PresenceChanged(room=room.slug, here=self.here()))
        new, self._new = self._new, set()
        if payload != self._told:
            self._told = payload
            self._told_at = room.hub.loop.time()
            room.pass_frame(payload)
            # Who has read further than this process has passed on is not live yet.
            new = {connection for connection in new if connection not in room.live}
        for connection in new:
            connection.send(payload)
