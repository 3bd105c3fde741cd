"""The live side of one process: hub, writer, readers, layer and sweep on one event loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from tertulia.hub.connection import Connection
from tertulia.hub.hub import Hub
from tertulia.hub.limits import Limiter, Rate
from tertulia.hub.room import LiveRoom
from tertulia.hub.sequencer import LogEvent
from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Close, ProtocolError, unavailable
from tertulia.protocol.events import RoomEntered, RoomLeft
from tertulia.protocol.frames import Frames
from tertulia.server import admission

from . import kinds, news, publish
from .actions import Action
from .activity import ActivityTeller, Interest
from .conf import conf
from .connecting.door import Door
from .layer import LayerLink
from .log import AccessNews, News, forget_rooms
from .models import AccessChange
from .profile.live import Profiles
from .read import epoch, read_head, read_log
from .readers import Readers
from .readmarks import ReadMarks
from .recheck import recheck_person, recheck_room, recheck_rules
from .sweep import Sweep, recent
from .unheard import Unheard
from .validity import last_change
from .writer import Done, Writer

logger = logging.getLogger(__name__)

# Rates a person or an address; TERTULIA_LIMITS=off lifts them.
RATES = {
    "command": Rate(burst=1_000, per_second=200),
    "send": Rate(burst=300, per_second=30),
    "send_address": Rate(burst=3_000, per_second=600),
    "visitor_send": Rate(burst=60, per_second=1),
    "visitor_send_address": Rate(burst=600, per_second=20),
    "visitor_rate": Rate(burst=10, per_second=1 / 60),
    "create": Rate(burst=60, per_second=0.5),
    "typing": Rate(burst=20, per_second=3),
    "search": Rate(burst=30, per_second=3),
    "malformed": Rate(burst=100, per_second=10),
    "guest": Rate(burst=200, per_second=2),
}
# Seconds after which a client should come back to a process that goes away.
RESTART_SECONDS = 1.0
# Seconds for which what is still told of the history before is taken for what it is.
AFTERMATH = 10.0
# Seconds between two tries to read what a new history begins with.
ANEW = 1.0


class Runtime:
    """What the sockets of this process share. Made and used on one event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.origin = secrets.token_hex(8)
        self.hub = Hub(self, conf.heartbeat)
        self.limiter = Limiter(RATES)
        self.readers = Readers()
        self.writer = Writer(self._committed)
        self.link = LayerLink(self.origin, self._received)
        self.interest = Interest()
        self.activity = ActivityTeller(self.hub, self.link, self.interest)
        self.unheard = Unheard(self)
        self.activity.on_heard = self.unheard.heard
        self.read_marks = ReadMarks(self)
        self.profiles = Profiles(self)
        # What other apps do beside the chat.
        self.parts = self.activity.parts = [make(self) for make in kinds.parts]
        self.epoch = ""
        # The history before this one, and until when something of it may still be told.
        self._before: tuple[str, float] | None = None
        # While the outcomes of a commit are told: the replies to each connection.
        self._replies: dict[Connection, list[bytes]] | None = None
        self.sweep: Sweep | None = None
        self.door: Door | None = None
        # The last changes of access, for people whose rooms were read a moment before them.
        self._changes: deque[AccessNews] = deque(maxlen=1_000)

    async def start(self) -> None:
        """Begin to serve."""
        publish.runtimes.add(self)
        admission.owed = _owed
        self.epoch = self.writer.epoch = await self.readers.run(epoch)
        looked, known = self.loop.time(), await self.readers.run(recent)
        self.sweep = Sweep(self, known, looked)
        self.door = Door(self, known)
        self.hub.beat = self.door.heartbeat
        self.writer.start()
        await self.link.start(self.epoch)
        self.hub.lag.start()
        self.hub.spawn(self.sweep.tick())
        self.hub.spawn(self.sweep.run())

    async def stop(self) -> None:
        """Close the sockets with 1012, write what was submitted, end the threads."""
        self.hub.close_all(Close.RESTART, RESTART_SECONDS)
        self.read_marks.flush_all()
        publish.runtimes.discard(self)
        await asyncio.to_thread(self.writer.stop)
        self.hub.lag.stop()
        await self.hub.stop()
        await self.link.stop()
        self.readers.stop()

    def call_soon(self, call: Callable[..., None], *args: Any) -> None:
        """From another thread: run this on the loop; nothing once the loop has gone."""
        try:
            self.loop.call_soon_threadsafe(call, *args)
        except RuntimeError:
            logger.info("The event loop has ended; the log keeps what it was not told")

    # Writing

    async def write(self, action: Action) -> Any:
        """Carry out an action; its result after the commit, or `ProtocolError`."""
        future: asyncio.Future[Any] = self.loop.create_future()

        def done(outcome: Any) -> None:
            if future.cancelled():
                return
            if isinstance(outcome, ProtocolError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.writer.submit(action, done)
        return await future

    def _committed(self, outcomes: list[tuple[Done, Any]], told: News | None) -> None:
        """In the writing thread: wake the loop once for a whole batch."""
        self.call_soon(self._after_commit, outcomes, told)

    def _after_commit(self, outcomes: list[tuple[Done, Any]], told: News | None) -> None:
        replies = self._replies = {}
        for done, outcome in outcomes:
            try:
                done(outcome)
            except Exception:
                logger.exception("A reply could not be given")
        self._replies = None
        for connection, payloads in replies.items():
            try:
                connection.deliver(Frames(payloads))
            except Exception:
                logger.exception("Replies could not be sent")
        if told is not None:
            self.tell(told)

    def reply(self, connection: Connection, payload: bytes) -> None:
        """A reply; those of one commit to one connection go in one write, in their order."""
        if self._replies is None:
            connection.send(payload)
        elif (waiting := self._replies.get(connection)) is not None:
            waiting.append(payload)
        else:
            self._replies[connection] = [payload]

    # Telling

    def tell(self, told: News) -> None:
        """What was committed: to the hub at once, to the other processes by the layer."""
        if told.epoch is not None and not self.heard_of_history(told.epoch):
            return
        for room in told.rooms:
            self.hub.counts.events += len(room.events)
            self.hub.offer(room.room_id, room.events)
            self.link.to_room(room.room_id, news.RoomEvents(room.room_id, room.events))
        for change in told.access:
            self.access_changed(change)
            self.link.to_site(news.Access(change))
        for room in told.rooms:
            self.activity.grown(news.Activity.of(room))

    def tell_person(self, person_id: str, payload: bytes, *, but: object = None) -> None:
        """A passing frame to all sockets of a person, here and elsewhere."""
        self._to_person(person_id, payload, but)
        self.link.to_site(news.PersonFrame(person_id, payload))

    def tell_members(self, room_id: int, payload: bytes, *, but: object = None) -> None:
        """A passing frame to all sockets of a room's members, here and elsewhere."""
        self._to_members(room_id, payload, but)
        self.link.to_site(news.MembersFrame(room_id, payload))

    def tell_room(self, room_id: int, payload: bytes, *, but: str) -> None:
        """A passing frame to a room's subscribers, here and elsewhere, but for one person."""
        room = self.hub.rooms.get(room_id)
        if room is not None:
            room.pass_frame(payload, but=but)
        self.link.to_room(room_id, news.RoomFrame(room_id, payload, but))

    def _to_members(self, room_id: int, payload: bytes, but: object = None) -> None:
        self.interest.each(room_id, lambda person_id: self._to_person(person_id, payload, but))

    def _to_person(self, person_id: str, payload: bytes, but: object = None) -> None:
        for connection in self.hub.people.get(person_id, ()):
            if connection is not but and not connection.classic:
                connection.send(payload)

    def _received(self, origin: str, item: news.Any) -> None:
        """News from another process."""
        match item:
            case news.RoomEvents():
                self.hub.offer(item.room_id, item.events)
            case news.RoomPresence():
                room = self.hub.rooms.get(item.room_id)
                if room is not None:
                    room.presence.lease(origin, item.people, item.count, self.loop.time())
            case news.RoomFrame():
                room = self.hub.rooms.get(item.room_id)
                if room is not None:
                    room.pass_frame(item.payload, item.but)
            case news.PersonFrame():
                self._to_person(item.person_id, item.payload)
            case news.MembersFrame():
                self._to_members(item.room_id, item.payload)
            case news.Activity():
                self.activity.heard(item)
            case news.Access():
                self.access_changed(item.change)

    # Access

    def access_changed(self, change: AccessNews) -> None:
        """Somebody entered, left, changed or was signed out; told once, by news or the sweep."""
        if self.sweep is None or self.door is None or not self.sweep.is_new(change):
            return
        self._changes.append(change)
        self.door.heard(change)
        for part in self.parts:
            part.heard(change)
        person_id, room_id, slug = change.person_id, change.room_id, change.slug
        if change.kind == AccessChange.Kind.SIGNED_OUT and person_id:
            for connection in self.hub.people.get(person_id, ()):
                if connection.mark < change.id:
                    connection.close(Close.UNAUTHENTICATED)
            self.hub.spawn(recheck_person(self, person_id))
        elif change.kind == AccessChange.Kind.SIGN_IN and person_id:
            self.hub.spawn(recheck_person(self, person_id))
        elif change.kind == AccessChange.Kind.ROOM and room_id:
            self.hub.spawn(recheck_room(self, room_id, person_id))
        elif change.kind == AccessChange.Kind.ROOM and person_id:
            self.hub.spawn(recheck_rules(self, person_id))
        elif change.kind == AccessChange.Kind.PROFILE:
            self.profiles.changed(change)
        elif person_id and room_id and slug:
            self._moved(change)
            entered = change.kind == AccessChange.Kind.ENTERED
            self._to_person(person_id, encode(RoomEntered(slug) if entered else RoomLeft(slug)))

    def load_interest(self, person_id: str, room_ids: list[int], mark: int) -> None:
        """The rooms of somebody who has connected, read when `mark` was the last change."""
        if self.interest.knows(person_id):
            return
        missed = self.interest.load(person_id, room_ids)
        for change in self._changes:
            if change.id > mark and change.person_id == person_id:
                self._moved(change)
        for room_id, tell in missed:
            if person_id in self.interest.people(room_id):
                tell(person_id)

    def _moved(self, change: AccessNews) -> None:
        if change.person_id is None or change.room_id is None:
            return
        if change.kind == AccessChange.Kind.ENTERED:
            self.interest.enter(change.person_id, change.room_id)
        elif change.kind == AccessChange.Kind.LEFT:
            self.interest.leave(change.person_id, change.room_id)

    # Histories

    def check_history(self, epoch: str | None) -> None:
        """What was read is only for those who see the same history. Raises `ProtocolError`."""
        if epoch is not None and epoch != self.epoch:
            self.heard_of_history(epoch)
            raise unavailable("A backup was restored at this moment.")

    def heard_of_history(self, epoch: str) -> bool:
        """The database has shown this epoch; False if it is that of the history before."""
        if epoch == self.epoch:
            return True
        if self._before is not None:
            before, until = self._before
            if epoch == before and self.loop.time() < until:
                return False
        self._new_history(epoch)
        return True

    def _new_history(self, new_epoch: str) -> None:
        """A backup was restored: every client loads afresh."""
        logger.warning("The installation has a new epoch: all sockets are closed")
        self._before = (self.epoch, self.loop.time() + AFTERMATH)
        self.epoch = self.writer.epoch = new_epoch
        if self.door is not None:
            self.door.forget()
        forget_rooms()
        self.read_marks.forget()
        self.activity.forget()
        self.unheard.forget()
        self._changes.clear()
        for part in self.parts:
            part.forget()
        self.hub.close_all(Close.RESTART, RESTART_SECONDS)
        self.hub.rooms.clear()
        self.hub.spawn(self.link.move(new_epoch))
        self.hub.spawn(self._begin_anew(new_epoch))

    async def _begin_anew(self, new_epoch: str) -> None:
        """Until this succeeds the changes of access are counted as before, and no connect token is
        good: it is tried for as long as the history lasts."""
        failed = False
        while new_epoch == self.epoch:
            try:
                changed = await self.readers.run(last_change)
            except Exception:
                if not failed:
                    logger.warning("The new history cannot be read yet", exc_info=True)
                failed = True
                await asyncio.sleep(ANEW)
                continue
            if new_epoch == self.epoch and self.sweep is not None and self.door is not None:
                self.sweep.begin_anew(changed)
                self.door.begin_anew(changed)
            return

    # What the hub needs (`tertulia.hub.hub.Backend`)

    async def read_head(self, room_id: int) -> int:
        return await self.readers.run(read_head, room_id)

    async def read_log(self, room_id: int, after: int, limit: int) -> list[LogEvent]:
        return await self.readers.run(read_log, room_id, after, limit, self.epoch)

    async def watch(self, room: LiveRoom) -> None:
        await self.link.join_room(room.id)

    def unwatch(self, room: LiveRoom) -> None:
        self.hub.spawn(self.link.leave_room(room.id))

    def spread(self, room: LiveRoom, told: dict[str, Any]) -> None:
        item: news.Any
        if told["kind"] == "presence":
            item = news.RoomPresence(room.id, told["people"], told["count"])
        else:
            item = news.RoomFrame(room.id, told["payload"], told["but"])
        self.link.to_room(room.id, item)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Runtime]] = WeakKeyDictionary()


async def get_runtime() -> Runtime:
    """The runtime of this event loop, started on first use."""
    loop = asyncio.get_running_loop()
    task = _by_loop.get(loop)
    if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
        task = _by_loop[loop] = loop.create_task(_start())
    return await asyncio.shield(task)


def _owed() -> int:
    """Answers that this process has still to give."""
    return sum(runtime.hub.owed for runtime in publish.runtimes)


async def _start() -> Runtime:
    runtime = Runtime()
    try:
        await runtime.start()
    except BaseException:
        publish.runtimes.discard(runtime)
        raise
    return runtime


async def startup() -> None:
    """For the server's lifespan; a database that is away now is asked again at need."""
    try:
        await get_runtime()
    except ProtocolError as error:
        logger.error("The chat starts with its first connection: %s", error.detail)


async def shutdown() -> None:
    """For the server's lifespan."""
    task = _by_loop.pop(asyncio.get_running_loop(), None)
    if task is not None and task.done() and task.exception() is None:
        await task.result().stop()
