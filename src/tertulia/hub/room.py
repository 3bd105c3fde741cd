"""One room as this process has it: who listens, where they are, what waits to be passed on."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from tertulia.protocol.classic import classic_payload
from tertulia.protocol.errors import Close
from tertulia.protocol.frames import Frames

from .presence import Presence
from .sequencer import LogEvent, Sequencer
from .typing import Typing

if TYPE_CHECKING:
    from .connection import Connection
    from .hub import Hub

logger = logging.getLogger(__name__)

# News kept for somebody whose log is being read; more means that the database is too slow for him.
WAITING_LIMIT = 5_000
# Bytes in one write, and bytes after which a room pauses for `PAUSE` seconds: 50 MB/s.
PART_BYTES = 256 * 1024
BURST_BYTES = 1024 * 1024
PAUSE = 0.02


class Part:
    """Frames that go to all present subscribers of a room, in one write each.

    `events` is empty for passing frames; `but` is a person who is not to get them.
    """

    __slots__ = ("_classic", "but", "events", "frames", "size")

    def __init__(self, events: list[LogEvent], frames: Frames, but: str | None = None) -> None:
        self.events = events
        self.frames = frames
        self.but = but
        # Bytes of the payloads.
        self.size = sum(map(len, frames.payloads))
        self._classic: list[tuple[int, Frames]] | None = None

    @property
    def classic(self) -> list[tuple[int, Frames]]:
        """What classic clients see of it: (seq, frames) of each message, made once."""
        if self._classic is None:
            self._classic = []
            for event in self.events:
                if event.kind == "message.created":
                    payload = classic_payload(event.payload)
                    if payload is not None:
                        self._classic.append((event.seq, Frames([payload])))
        return self._classic


def part_of(events: list[LogEvent]) -> Part:
    """Events as one part."""
    return Part(events, Frames([event.payload for event in events]))


class _Indirect:
    """In the place of a classic client's transport: he sees less, so `deliver` must choose."""

    clear = None


_INDIRECT = _Indirect()


class Subscription:
    """A connection's place in a room.

    `head` is None while the log is being read (news wait in `waiting`, which is None afterwards),
    then the seq up to which the subscriber knows the log. `live`: he gets what the room passes on.
    """

    __slots__ = (
        "connection",
        "cut",
        "entered",
        "head",
        "live",
        "role",
        "room",
        "transport",
        "unseen",
        "waiting",
    )

    def __init__(self, connection: Connection, room: LiveRoom) -> None:
        self.connection = connection
        self.room = room
        # Where its frames go: for a classic client, who sees less, only by `deliver`.
        self.transport: Any = _INDIRECT if connection.classic else connection.transport
        self.head: int | None = None
        self.live = False
        self.entered = False
        # The others are not told that he is here.
        self.unseen = False
        # That it was ended, by whatever may be read no longer, and not by his own wish.
        self.cut = False
        self.role: str | None = None
        self.waiting: list[LogEvent] | None = []

    def news_after(self, head: int) -> list[LogEvent]:
        """The news that waited, up to one after which he may read no longer."""
        news: list[LogEvent] = []
        for event in self.waiting or ():
            if event.seq > head:
                news.append(event)
                if event.ends and self.connection.is_person(event.member):
                    break
        return news

    def deliver(self, part: Part) -> None:
        """Give this subscriber a part, in his protocol."""
        connection = self.connection
        if not connection.classic:
            if part.but is None or not connection.is_person(part.but):
                connection.deliver(part.frames)
            return
        for seq, frames in part.classic:
            if connection.own and (self.room.id, seq) in connection.own:
                connection.own.discard((self.room.id, seq))
            else:
                connection.deliver(frames)


class LiveRoom:
    """The subscribers of one room in this process, and the order in which they are served."""

    def __init__(self, hub: Hub, room_id: int, slug: str) -> None:
        self.hub = hub
        self.id = room_id
        self.slug = slug
        self.sequencer = Sequencer()
        # The last seq whose passing on has begun; later events wait in `_events`.
        self.position = 0
        self.live: dict[Connection, Subscription] = {}
        self.joining: set[Subscription] = set()
        # How many members the room has: above 100, presence tells only a number.
        self.members = 0
        self.presence = Presence(self)
        self.typing = Typing(self)
        # Set once the process has this room's news from the layer (or has given up waiting).
        self.watched: asyncio.Future[None] | None = None
        self.repairing: asyncio.Task[None] | None = None
        self.queued = False
        # Set when the room has passed on so much that its readers need a moment.
        self.pausing = False
        self._burst = 0
        self.idle_since: float | None = None
        # The log is known to reach here, by a reader or the sweep.
        self.known_head = 0
        self._queue: deque[Part | LogEvent] = deque()
        self._part: Part | None = None
        self._targets: list[Subscription] = []
        self._next = 0

    @property
    def empty(self) -> bool:
        """Whether nobody listens."""
        return not self.live and not self.joining

    @property
    def behind(self) -> bool:
        """Whether the log holds something that this room has not passed on."""
        position = self.sequencer.position
        return position is not None and (self.sequencer.waiting or position < self.known_head)

    @property
    def busy(self) -> bool:
        """Whether something waits to be passed on."""
        return bool(self._queue) or self._part is not None

    def accept(self, events: list[LogEvent]) -> None:
        """Queue events in order; they are passed on when the hub comes to this room."""
        self._queue.extend(events)
        if events:
            self.hub.serve(self)

    def pass_frame(self, payload: bytes, but: str | None = None) -> None:
        """Queue a passing frame, to be seen by protocol 1 only."""
        if self.live:
            self._queue.append(Part([], Frames([payload]), but))
            self.hub.serve(self)

    def discard(self) -> None:
        """Nothing more is passed on."""
        self._queue.clear()
        self._part = None
        self._targets = []

    def step(self, budget: int) -> int:
        """Serve up to `budget` subscribers; returns how many were served (at least 1)."""
        if self._part is None:
            self._begin(self._next_part())
        assert self._part is not None
        part, first = self._part, self._next
        chunk = self._targets[first : first + budget]
        self._deliver(part, chunk)
        self._count(part, len(chunk))
        self._next += len(chunk)
        if self._next >= len(self._targets):
            self._finish(part)
        return max(1, len(chunk))

    def _deliver(self, part: Part, chunk: list[Subscription]) -> None:
        """The same bytes to each. This loop is the cost of a delivery: a call into the kernel,
        and as little as can be around it."""
        wire = part.frames.wire
        size, direct = len(wire), part.but is None
        for subscription in chunk:
            if not subscription.live:
                continue
            socket = subscription.transport.clear
            if socket is None or not direct:
                self._deliver_to(subscription, part)
                continue
            try:
                sent = socket.send(wire)
            except OSError as error:
                subscription.connection.waits(subscription.transport.unsent(wire, error))
            else:
                if sent != size:
                    subscription.connection.waits(subscription.transport.rest(wire, sent))

    def _deliver_to(self, subscription: Subscription, part: Part) -> None:
        try:
            subscription.deliver(part)
        except Exception:
            # One socket's fault must not keep the room from the others.
            logger.exception("A delivery failed; its connection is closed", extra={"room": self.id})
            self.hub.counts.failed_deliveries += 1
            subscription.connection.close(Close.TOO_SLOW, retry_after=1.0)

    def _count(self, part: Part, served: int) -> None:
        """One addition for all of them."""
        counts = self.hub.counts
        if part.events:
            counts.deliveries += served * len(part.events)
        else:
            counts.passing += served
        counts.delivered_bytes += served * part.size

    def _give(self, subscription: Subscription, part: Part) -> None:
        """What one subscriber alone has yet to get."""
        self._count(part, 1)
        subscription.deliver(part)

    def _next_part(self) -> Part:
        """All events that wait, up to one after which somebody may read no longer.

        At most `PART_BYTES` of them: an outbox must not be filled by a single write.
        """
        first = self._queue.popleft()
        if isinstance(first, Part):
            return first
        events, size = [first], len(first.payload)
        while self._queue and not events[-1].ends and size < PART_BYTES:
            following = self._queue[0]
            if isinstance(following, Part):
                break
            self._queue.popleft()
            events.append(following)
            size += len(following.payload)
        self._burst += size
        return part_of(events)

    def _begin(self, part: Part) -> None:
        self._part = part
        self._targets = list(self.live.values())
        self._next = 0
        if part.events:
            self.position = part.events[-1].seq
            for subscription in list(self.joining):
                self._keep_for(subscription, part.events)

    def _keep_for(self, subscription: Subscription, events: list[LogEvent]) -> None:
        """Events for somebody who is not live yet."""
        if subscription.head is None:
            assert subscription.waiting is not None
            subscription.waiting.extend(events)
            if len(subscription.waiting) > WAITING_LIMIT:
                subscription.connection.close(Close.TOO_SLOW, retry_after=1.0)
            return
        head = subscription.head
        later = [event for event in events if event.seq > head]
        if later:
            self._give(subscription, part_of(later))
        self._settle(subscription)

    def _settle(self, subscription: Subscription) -> None:
        """Make a subscriber live once the room has reached what he read."""
        assert subscription.head is not None
        if self.position >= subscription.head and subscription in self.joining:
            self.joined(subscription)
            subscription.live = True
            self.live[subscription.connection] = subscription

    def joined(self, subscription: Subscription) -> None:
        """Somebody is joining no longer, if he was."""
        self.joining.discard(subscription)
        if not self.joining:
            # An emptied set keeps its room for all that were in it.
            self.joining = set()

    def begin(self, head: int) -> None:
        """Where the log stood when this process began to serve the room.

        It must be known before anybody's log is read: what a reader then has not read comes
        after this, and so passes through here.
        """
        if self.sequencer.position is None:
            self.position = head
            self.accept(self.sequencer.start(head))

    def go_live(self, subscription: Subscription, head: int) -> None:
        """He has read the log up to `head`: let the news that waited through, in order."""
        if subscription not in self.joining:
            return
        subscription.head = head
        self.known_head = max(self.known_head, head)
        waiting = subscription.news_after(head)
        subscription.waiting = None
        if waiting:
            self._give(subscription, part_of(waiting))
        # Somebody may have been put out while his log was read.
        self._apply(waiting, only=subscription)
        if subscription in self.joining:
            self._settle(subscription)
        if self.behind:
            self.hub.repair_soon(self, "reader")

    def _finish(self, part: Part) -> None:
        self._part = None
        self._targets = []
        self._apply(part.events)
        if not self._queue:
            self._burst = 0
        elif self._burst >= BURST_BYTES:
            # A flood: give those who read the time to take it from their outboxes.
            self._burst = 0
            self.pausing = True

    def _apply(self, events: list[LogEvent], only: Subscription | None = None) -> None:
        """What events mean for subscriptions: roles, and who may read no longer."""
        for event in events:
            if event.member is None:
                continue
            for connection in self.hub.people.get(event.member, ()):
                subscription = connection.subscription(self.id)
                if subscription is None or (only is not None and subscription is not only):
                    continue
                if subscription.head is None or event.seq <= subscription.head:
                    continue
                subscription.role = event.role
                if event.ends:
                    self.hub.unsubscribe(connection, self.id)
                    if connection.classic:
                        # It is in one room only, and knows no event that would tell it.
                        connection.close(Close.NO_SUCH_ROOM)
            if only is None:
                self.members += {"member.joined": 1, "member.left": -1}.get(event.kind, 0)
