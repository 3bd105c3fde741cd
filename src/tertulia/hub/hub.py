"""The connections and live rooms of one process, on one event loop.

No coroutine, task, queue or thread hop for a recipient: `step` of a room writes the same
bytes into each subscriber's outbox, and after `BUDGET` of them lets the loop breathe.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Close
from tertulia.protocol.events import Heartbeat, Person
from tertulia.protocol.frames import Frames

from .connection import Connection
from .counts import Counts, LagMeter
from .presence import RENEW
from .room import PAUSE, LiveRoom, Subscription
from .sequencer import LogEvent

logger = logging.getLogger(__name__)

# Subscribers served before the loop gets a turn.
BUDGET = 2_000
# Seconds that a gap may close by itself (news of two processes crossing) before it is read.
GAP_PATIENCE = 0.05
# Seconds for which a room without listeners keeps its place in the layer.
LINGER = 15.0
# A repair reads the log in pages of this many events.
REPAIR_PAGE = 500
# Seconds that a subscription waits for the layer before it goes on without it.
WATCH_SECONDS = 1.0
# Heartbeats without any sign of life before 4408.
UNSEEN_HEARTBEATS = 2


class Backend(Protocol):
    """What the hub needs of the application around it."""

    def read_head(self, room_id: int) -> Awaitable[int]:
        """The last seq of a room's log."""
        ...

    def read_log(self, room_id: int, after: int, limit: int) -> Awaitable[list[LogEvent]]:
        """The events after `after`, ascending, `limit` at most."""
        ...

    def watch(self, room: LiveRoom) -> Awaitable[None]:
        """Take this room's news from the other processes."""
        ...

    def unwatch(self, room: LiveRoom) -> None:
        """No longer take them."""

    def spread(self, room: LiveRoom, news: dict[str, object]) -> None:
        """Passing news to the other processes; may be lost."""


_HEARTBEAT = encode(Heartbeat())


def _plain_beat(connection: Connection) -> bytes:
    return _HEARTBEAT


class Hub:
    """All that is live in this process."""

    def __init__(self, backend: Backend, heartbeat: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.backend = backend
        self.heartbeat = heartbeat
        # The connections of each person, by public id. Tuples, since most people have one.
        self.people: dict[str, tuple[Connection, ...]] = {}
        self.rooms: dict[int, LiveRoom] = {}
        self.counts = Counts()
        self.lag = LagMeter(self.loop)
        # How many connections speak the classic protocol, and how many subscriptions
        # all of them have.
        self.classic = 0
        self.subscribed = 0
        self._ready: deque[LiveRoom] = deque()
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()
        # All connections, by the second of the heartbeat in which their turn comes, and how many
        # they are. Dictionaries, since a large set takes three times the memory.
        self._turns: list[dict[Connection, None]] = [{} for _ in range(max(1, heartbeat))]
        self.open = 0
        # Answers that are being read for somebody.
        self.owed = 0
        self._turn = 0
        # Seconds that have been ticked.
        self.seconds = 0
        # Those who have been silent for more than a heartbeat, by the second in which it is two.
        self._silent: dict[int, list[Connection]] = {}
        # What a heartbeat says to a connection; the application may have something to add.
        self.beat: Callable[[Connection], bytes] = _plain_beat

    # Connections

    @property
    def connections(self) -> list[Connection]:
        """All that are open."""
        return [connection for turn in self._turns for connection in turn]

    def add(self, connection: Connection, person: Person | None) -> None:
        """Register a connection; `person` is None until he has said who he is."""
        self.open += 1
        self.classic += connection.classic
        self.counts.opened["classic" if connection.classic else "v1"] += 1
        # Last in line: a whole heartbeat passes before the first.
        connection.turn = self._turn
        self._turns[self._turn][connection] = None
        if person is not None:
            self.identify(connection, person)

    def identify(self, connection: Connection, person: Person) -> None:
        """The connection speaks for this person from now on; another's subscriptions end."""
        for subscription in connection.subscriptions:
            self.cut(connection, subscription.room.id)
        self._forget(connection)
        connection.person = person
        self.people[person.id] = (*self.people.get(person.id, ()), connection)

    def drop(self, connection: Connection) -> None:
        """The connection has ended."""
        for subscription in connection.subscriptions:
            self.unsubscribe(connection, subscription.room.id)
        self._forget(connection)
        turn = self._turns[connection.turn]
        if connection in turn:
            del turn[connection]
            if not turn:
                # An emptied dictionary keeps its room for all that were in it.
                self._turns[connection.turn] = {}
            self.open -= 1
            self.classic -= connection.classic

    def _forget(self, connection: Connection) -> None:
        if connection.person is None:
            return
        others = list(self.people.get(connection.person.id, ()))
        if connection in others:
            others.remove(connection)
            if others:
                self.people[connection.person.id] = tuple(others)
            else:
                del self.people[connection.person.id]

    def person_changed(self, person: Person) -> None:
        """His name or picture is another one; rooms tell it with who is here."""
        for connection in self.people.get(person.id, ()):
            connection.person = person
        for room in self.rooms.values():
            room.presence.person_changed(person)

    def close_person(self, public_id: str, code: Close = Close.UNAUTHENTICATED) -> None:
        """End all sockets of a person."""
        for connection in self.people.get(public_id, ()):
            connection.close(code)

    # Subscriptions

    def room(self, room_id: int, slug: str) -> LiveRoom:
        """The live room, made on first use; its news are asked for at once."""
        room = self.rooms.get(room_id)
        if room is None:
            room = self.rooms[room_id] = LiveRoom(self, room_id, slug)
            room.watched = self.loop.create_future()
            self.spawn(self._watch(room))
        room.idle_since = None
        return room

    async def _watch(self, room: LiveRoom) -> None:
        try:
            await self.backend.watch(room)
        finally:
            if room.watched is not None and not room.watched.done():
                room.watched.set_result(None)

    def subscribe(self, connection: Connection, room_id: int, slug: str) -> Subscription:
        """Register first (news wait); then `ready`, read the log, and `go_live` or `unsubscribe`.

        A connection that has ended meanwhile is not registered, and `go_live` does nothing.
        """
        self.unsubscribe(connection, room_id)
        room = self.room(room_id, slug)
        subscription = Subscription(connection, room)
        if not connection.closed:
            room.joining.add(subscription)
            connection.put_subscription(subscription)
            self.subscribed += 1
        elif room.empty:
            room.idle_since = self.loop.time()
        return subscription

    async def ready(self, room: LiveRoom) -> None:
        """Know where the room's log stands, and have its news; raises what reading raises."""
        if room.watched is not None and not room.watched.done():
            await asyncio.wait([room.watched], timeout=WATCH_SECONDS)
        if room.sequencer.position is None:
            room.begin(await self.backend.read_head(room.id))

    def go_live(
        self,
        subscription: Subscription,
        head: int,
        role: str | None,
        members: int,
        *,
        unseen: bool = False,
    ) -> None:
        """The subscriber knows the log up to `head` and is given everything after it.

        `unseen`: the others are not told that he is here.
        """
        connection, room = subscription.connection, subscription.room
        if connection.subscription(room.id) is not subscription:
            return
        subscription.role = role
        room.members = members
        room.go_live(subscription, head)
        if connection.subscription(room.id) is subscription:
            subscription.entered = True
            subscription.unseen = unseen
            room.presence.enter(connection, unseen=unseen)

    def unsubscribe(self, connection: Connection, room_id: int) -> bool:
        """End a subscription at once; False where there was none."""
        subscription = connection.pop_subscription(room_id)
        if subscription is None:
            return False
        self.subscribed -= 1
        room = subscription.room
        room.joined(subscription)
        room.live.pop(connection, None)
        subscription.live = False
        if subscription.entered:
            room.presence.leave(connection, unseen=subscription.unseen)
            if connection.person is not None:
                room.typing.stop(connection.person)
        if room.empty:
            room.idle_since = self.loop.time()
        return True

    def cut(self, connection: Connection, room_id: int) -> None:
        """End a subscription that may not go on, also one that is only about to begin."""
        subscription = connection.subscription(room_id)
        if subscription is not None:
            subscription.cut = True
            self.unsubscribe(connection, room_id)

    # Events

    def offer(self, room_id: int, events: list[LogEvent]) -> None:
        """News of a room's log, in any order, from anywhere."""
        room = self.rooms.get(room_id)
        if room is None:
            return
        room.accept(room.sequencer.offer(events))
        if room.behind:
            self.repair_soon(room, "sequencer")

    def head_known(self, room_id: int, head: int) -> None:
        """The sweep has seen that the log reaches `head`."""
        room = self.rooms.get(room_id)
        if room is not None:
            room.known_head = max(room.known_head, head)
            if room.behind:
                self.repair_soon(room, "sweep")

    def repair_soon(self, room: LiveRoom, noticed_by: str) -> None:
        """Read what is missing, unless it comes by itself."""
        if room.repairing is None:
            self.counts.gaps_found[noticed_by] += 1
            room.repairing = self.spawn(self._repair(room, noticed_by))

    async def _repair(self, room: LiveRoom, noticed_by: str) -> None:
        repaired = 0
        try:
            await asyncio.sleep(GAP_PATIENCE)
            while room.behind and self.rooms.get(room.id) is room:
                position = room.sequencer.position
                assert position is not None
                events = await self.backend.read_log(room.id, position, REPAIR_PAGE)
                if not events:
                    # Held or announced, but not in the log: another history. The sweep decides.
                    room.known_head = position
                    break
                missing = room.sequencer.offer(events)
                repaired += len(missing)
                room.accept(missing)
        except Exception:
            # The sweep, every second, comes back to it.
            logger.exception(
                "The log of room %s could not be read for a repair",
                room.id,
                extra={"room": room.id},
            )
        finally:
            room.repairing = None
            if repaired:
                self.counts.gaps_repaired[noticed_by] += 1
                self.counts.events_repaired += repaired

    def serve(self, room: LiveRoom) -> None:
        """The room has something to pass on: in this loop turn's one go for all rooms."""
        if room.busy and not room.queued and not room.pausing:
            room.queued = True
            self._ready.append(room)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._serve)

    def _serve(self) -> None:
        self._scheduled = False
        budget = BUDGET
        while self._ready and budget > 0:
            room = self._ready.popleft()
            try:
                budget -= room.step(budget)
            except Exception:
                logger.exception("Room %s could not be served", room.id, extra={"room": room.id})
                self._abandon(room)
            finally:
                room.queued = room.busy and not room.pausing
                if room.queued:
                    self._ready.append(room)
                elif room.pausing:
                    self.loop.call_later(PAUSE, self._pause_over, room)
        if self._ready:
            self._scheduled = True
            self.loop.call_soon(self._serve)

    def _pause_over(self, room: LiveRoom) -> None:
        room.pausing = False
        self.serve(room)

    def _abandon(self, room: LiveRoom) -> None:
        """Nobody knows what its subscribers have got: let them resume by seq."""
        self.counts.abandoned_rooms += 1
        if self.rooms.pop(room.id, None) is not None:
            self.backend.unwatch(room)
        for connection in [*room.live, *(waiting.connection for waiting in room.joining)]:
            connection.close(Close.TOO_SLOW, retry_after=1.0)
        room.discard()

    # Passing news

    def presence_changed(self, room: LiveRoom) -> None:
        """Tell the other processes who is here with us."""
        people, count = room.presence.local()
        self.backend.spread(room, {"kind": "presence", "people": people, "count": count})

    def spread_frame(self, room: LiveRoom, payload: bytes, but: str | None) -> None:
        """Give a passing frame to the other processes."""
        self.backend.spread(room, {"kind": "frame", "payload": payload, "but": but})

    # Once a second

    def tick(self) -> None:
        """Heartbeats of those whose turn it is, presence leases, rooms that nobody hears."""
        now = self.loop.time()
        self.seconds += 1
        self._turn = (self._turn + 1) % len(self._turns)
        for connection in list(self._turns[self._turn]):
            self._heartbeat(connection)
        for connection in self._silent.pop(self.seconds, ()):
            self._check_silence(connection)
        for room in list(self.rooms.values()):
            room.presence.expire(now)
            if room.idle_since is not None and now - room.idle_since > LINGER and not room.busy:
                del self.rooms[room.id]
                self.backend.unwatch(room)

    def renew_presence(self) -> None:
        """Every `RENEW` seconds: renew our leases with the other processes."""
        for room in self.rooms.values():
            if not room.empty:
                self.presence_changed(room)

    def _heartbeat(self, connection: Connection) -> None:
        beat = None if connection.classic else Frames([self.beat(connection)])
        # Where the server cannot ping for us, it watches the peer by pings of its own.
        if connection.transport.ping(beat):
            self._check_silence(connection)
        elif beat is not None:
            connection.deliver(beat)

    def _check_silence(self, connection: Connection) -> None:
        """Close it, or come back in time. Whoever answers pings only was last heard of a
        heartbeat ago, and has nothing noted for him: it would be one thing more for everybody."""
        silent = self.seconds - connection.seen
        left = UNSEEN_HEARTBEATS * self.heartbeat - silent
        if left <= 0:
            connection.close(Close.NO_SIGN_OF_LIFE)
        elif left < self.heartbeat:
            self._silent.setdefault(self.seconds + left, []).append(connection)

    # Tasks

    def spawn(self, coroutine: Awaitable[None]) -> asyncio.Task[None]:
        """A task that is kept from the garbage collector and ended with the hub."""
        task: asyncio.Task[None] = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close_all(self, code: Close, retry_after: float) -> None:
        """The process goes away, or the history is another one."""
        for connection in self.connections:
            connection.close(code, retry_after=retry_after)

    async def stop(self) -> None:
        """End all tasks."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


__all__ = ["RENEW", "Backend", "Hub"]
