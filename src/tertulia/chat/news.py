"""What processes tell each other through the channel layer. All of it may be lost."""

from __future__ import annotations

import msgspec

from tertulia.hub.sequencer import LogEvent
from tertulia.protocol.events import Person

from .log import AccessNews, RoomNews, Watched


class RoomEvents(msgspec.Struct, tag="events", array_like=True):
    """The log of a room has grown; the encoded events ride along."""

    room_id: int
    events: list[LogEvent]


class RoomPresence(msgspec.Struct, tag="presence", array_like=True):
    """Who is in a room in the sending process; without people when there are too many."""

    room_id: int
    people: list[Person]
    count: int


class RoomFrame(msgspec.Struct, tag="frame", array_like=True):
    """A passing frame for a room's subscribers, but for one person."""

    room_id: int
    payload: bytes
    but: str | None


class PersonFrame(msgspec.Struct, tag="person", array_like=True):
    """A passing frame for all sockets of one person."""

    person_id: str
    payload: bytes


class MembersFrame(msgspec.Struct, tag="members", array_like=True):
    """A passing frame for all sockets of a room's members, subscribed or not."""

    room_id: int
    payload: bytes


class Activity(msgspec.Struct, tag="activity", array_like=True):
    """A room has grown: for its members who are not subscribed."""

    room_id: int
    slug: str
    head: int
    messages: int
    mentioned: list[str]
    # Who said something, by public id, and the last seq of it.
    spoken: dict[str, tuple[Person, int]] = {}
    watched: Watched | None = None

    @classmethod
    def of(cls, room: RoomNews) -> Activity:
        """What a transaction has appended."""
        return cls(
            *(room.room_id, room.slug, room.head, room.messages, room.mentioned, room.spoken),
            room.watched,
        )

    def merged(self, other: Activity) -> Activity:
        """The later state, and all who spoke or were mentioned; news of two processes may cross."""
        earlier, later = (other, self) if self.head > other.head else (self, other)
        mentioned = list(dict.fromkeys(self.mentioned + other.mentioned))
        spoken = earlier.spoken | later.spoken
        return Activity(
            *(later.room_id, later.slug, later.head, later.messages, mentioned, spoken),
            (
                earlier.watched.merged(later.watched)
                if earlier.watched and later.watched
                else later.watched or earlier.watched
            ),
        )


class Access(msgspec.Struct, tag="access", array_like=True):
    """Somebody entered, left or was signed out."""

    change: AccessNews


Any = RoomEvents | RoomPresence | RoomFrame | PersonFrame | MembersFrame | Activity | Access

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Any).decode


def site_group(epoch: str) -> str:
    """The layer's group of all processes of one installation.

    The epoch keeps installations apart that share one Redis, and cuts off processes that
    still live in a history which a restored backup has ended.
    """
    return f"tertulia.{epoch}.site"


def room_group(epoch: str, room_id: int) -> str:
    """The layer's group of a room: named after its id, never its slug."""
    return f"tertulia.{epoch}.room.{room_id}"
