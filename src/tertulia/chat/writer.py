"""Group commit: all that waits in this process goes into one transaction.

One thread takes everything that has been submitted, runs it in the order of submission in one
transaction, and wakes the event loop once with all outcomes. There is no timer: as soon as it
is free it commits what is there. On PostgreSQL a room that somebody else holds locked is handed
to a lane, which waits for that room alone, so that a slow caller stalls nobody.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic
from typing import Any

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.transaction import TransactionManagementError

from tertulia.hub.counts import Histogram
from tertulia.protocol.errors import Code, ProtocolError, unavailable

from .actions.base import Action, Outcome
from .actions.messages import SendMessage, send_all, what_is_read
from .log import LogTransaction, News, room_id_of
from .outage import Outage

logger = logging.getLogger(__name__)

# Actions in one transaction, and actions that may wait: over it they are refused at once.
BATCH = 1_000
WAITING = 20_000
# Seconds after which the writer is woken at the latest while each turn of the loop brings more.
GATHERING = 0.002
# Rooms that may be waited for at the same time, and milliseconds that a lane waits for its room.
LANES = 4
LANE_MILLISECONDS = 5_000
# Seconds after which a lane that has no place yet looks again whether its room is free by now.
LANE_LOOK = 0.1
# Milliseconds that a batch waits for a row that is no room, such as a membership.
ROW_MILLISECONDS = 1_000
# Of the connection that writes to SQLite: milliseconds that a batch waits for the one lock
# before its senders are told to retry (less than a client waits for an answer); KiB of pages
# that it keeps, since every key goes to another page of its index; and pages of the log after
# which they are written to their places, most of them once instead of many times.
SQLITE_MILLISECONDS = 4_000
SQLITE_PRAGMAS = {
    "busy_timeout": SQLITE_MILLISECONDS,
    "cache_size": -65_536,
    "wal_autocheckpoint": 4_000,
}
# Milliseconds that a batch waits at the least, however long its senders have waited before.
SQLITE_LEAST = 250
# Bounds of what is measured of a transaction: seconds, and actions.
SECONDS_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ACTIONS_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

Done = Callable[[Outcome], None]
Committed = Callable[["list[tuple[Done, Outcome]]", "News | None"], None]


class Item:
    """An action on its way, and who is to be told of its outcome."""

    __slots__ = ("action", "done", "epoch", "room_id", "since")

    def __init__(self, action: Action, done: Done, epoch: str) -> None:
        self.action = action
        self.done = done
        # The history that its sender saw.
        self.epoch = epoch
        self.room_id: int | None = None
        self.since = monotonic()


class Writer:
    """The one writing thread of a process, and its lanes.

    `committed(outcomes, news)` is called in the writing thread after each transaction; it
    must hand both to the event loop, outcomes first.
    """

    def __init__(self, committed: Committed) -> None:
        self._committed = committed
        # The history that those who submit see; empty: any.
        self.epoch = ""
        # What waits, and what wakes the thread that takes it.
        self._items: deque[Item] = deque()
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._calling = False
        self._thread = threading.Thread(target=self._run, name="tertulia-writer", daemon=True)
        self._lanes: dict[int, deque[Item]] = {}
        self._lanes_lock = threading.Lock()
        self._lane_places = threading.BoundedSemaphore(LANES)
        # One at a time looks without waiting: it has a connection of its own, too.
        self._lane_look = threading.Lock()
        self._started = False
        self._stopped = False
        # Milliseconds that the present connection waits for SQLite's lock.
        self._patience = SQLITE_MILLISECONDS
        # For the metrics: how long a transaction took from its begin to the end of its
        # commit, how many actions were in it, and what was refused with `unavailable`.
        self.commit_seconds = Histogram(SECONDS_BOUNDS)
        self.commit_actions = Histogram(ACTIONS_BOUNDS)
        self.outage = Outage(
            logger, "The database cannot be written", "The database can be written again"
        )
        self.held = 0
        self.busy = 0

    def start(self) -> None:
        """Begin; done before the first submission."""
        if not self._started:
            self._started = True
            self._thread.start()

    @property
    def waiting(self) -> int:
        """Actions that wait for the writing thread."""
        return len(self._items)

    @property
    def lanes(self) -> int:
        """Rooms that are waited for because somebody else holds them."""
        return len(self._lanes)

    def submit(self, action: Action, done: Done) -> None:
        """Have an action carried out; `done` gets its result or `ProtocolError` in the loop.

        Called in the event loop.
        """
        if self._stopped or len(self._items) >= WAITING:
            self.busy += 1
            self._committed([(done, unavailable("The server is too busy to write."))], None)
            return
        self._items.append(Item(action, done, self.epoch))
        if not self._calling:
            self._calling = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._call, loop, 0, loop.time() + GATHERING)

    def _call(self, loop: asyncio.AbstractEventLoop, before: int, until: float) -> None:
        """At the end of a turn of the loop: wake the thread, if it brought nothing more.

        Woken by the first of a wave the thread would commit that one alone, while the others
        wait. The loop does not wait here either: it looks what has come, and goes on doing so
        only as long as there is something. A busy thread takes what there is by itself.
        """
        waiting = len(self._items)
        if waiting > before and loop.time() < until:
            loop.call_soon(self._call, loop, waiting, until)
            return
        self._calling = False
        self._calls.put(None)

    def stop(self, timeout: float = 10.0) -> None:
        """Carry out what was submitted, then end."""
        self._stopped = True
        if self._started:
            self._calls.put(None)
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped or self._items:
            items = self._take()
            if not items:
                self._calls.get()
                continue
            try:
                self._write(items)
            except Exception:  # the thread must live on, whatever happens
                logger.exception("The writer failed")
                self._fail(items, ProtocolError(Code.INTERNAL, "The server failed."))
        connection.close()

    def _take(self) -> list[Item]:
        return [self._items.popleft() for _ in range(min(len(self._items), BATCH))]

    # One batch

    def _write(self, items: list[Item]) -> None:
        try:
            self._connect()
            self._wait_less(items[0].since)
            self._prepare(items)
            items = self._pass_to_lanes(items)
            if items:
                self._commit(items)
        except (OperationalError, InterfaceError) as error:
            if len(items) > 1 and _is_one_items(error):
                self._write_each(items)
            else:
                self._database_away(items, error)
        except IntegrityError as error:
            # Somebody else was faster with the same key: alone, it will be seen.
            logger.info("A batch of %d met another's: %s", len(items), str(error).split("\n")[0])
            self._write_each(items)
        except Exception:
            logger.warning("A batch of %d failed; each goes alone", len(items), exc_info=True)
            self._write_each(items)

    def _write_each(self, items: list[Item], *, lane: bool = False) -> None:
        connection.close()
        for item in items:
            self._write_alone(item, lane=lane)

    def _write_alone(self, item: Item, *, lane: bool) -> None:
        items = [item]
        try:
            self._connect()
            if not lane:
                # Its room may be unknown yet, if the batch failed before it was prepared; and
                # the one before it may have gone to a lane, behind which it must stay.
                self._prepare(items)
                items = self._pass_to_lanes(items)
            if items:
                self._commit(items, lane=lane)
        except (OperationalError, InterfaceError) as error:
            self._database_away(items, error)
        except Exception:
            logger.exception("%s failed", type(item.action).__name__)
            connection.close()
            self._fail(items, ProtocolError(Code.INTERNAL, "The server failed to do this."))

    def _connect(self) -> None:
        if connection.connection is None:
            connection.ensure_connection()
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    for name, value in SQLITE_PRAGMAS.items():
                        cursor.execute(f"PRAGMA {name} = {value}")
                self._patience = SQLITE_MILLISECONDS

    def _wait_less(self, since: float) -> None:
        """SQLite: who waited while the batch before waited for the lock is not to wait for it as
        long again, but to be told in time."""
        if connection.vendor != "sqlite":
            return
        left = SQLITE_MILLISECONDS - int(1_000 * (monotonic() - since))
        # Within a second all wait alike: no statement for that in ordinary times.
        patience = SQLITE_MILLISECONDS if left > 3_000 else max(SQLITE_LEAST, left)
        if patience != self._patience:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {patience}")
            self._patience = patience

    def _prepare(self, items: list[Item]) -> None:
        """Everything that needs no lock: rendering, and which rooms are meant.

        What cannot be prepared is told so and leaves `items`, also where this raises later on:
        nobody is told twice. May be done again.
        """
        for item in list(items):
            try:
                item.action.prepare()
                if item.action.slug is not None:
                    item.room_id = room_id_of(item.action.slug)
            except DatabaseError:
                raise
            except Exception:
                logger.exception("%s could not be prepared", type(item.action).__name__)
                items.remove(item)
                self._fail([item], ProtocolError(Code.INTERNAL, "The server failed to do this."))

    def _commit(self, items: list[Item], *, lane: bool = False, patient: bool = True) -> bool:
        """False, and nothing done, where an impatient lane finds its room held by somebody else."""
        free, held = items, []
        began = monotonic()
        with transaction.atomic():
            log = LogTransaction(connection, prepare=True)
            sends = (item.action for item in items if isinstance(item.action, SendMessage))
            wanted = what_is_read(log, sends)
            wanted["rooms"].update(item.room_id for item in items if item.room_id is not None)
            log.find(
                **wanted,
                skip_locked=not (lane and patient),
                # Outside a lane rooms are never waited for; this is for any other row.
                wait=LANE_MILLISECONDS if lane and patient else ROW_MILLISECONDS,
            )
            if lane and not patient and items[0].room_id not in log.rooms:
                return False
            if log.epoch and any(item.epoch not in ("", log.epoch) for item in items):
                self._another_history(items, log.epoch)
                return True
            if not lane and log.connection.vendor == "postgresql":
                held = [item for item in items if item.room_id and item.room_id not in log.rooms]
                if held:
                    locked = {None, *log.rooms}
                    free = [item for item in items if item.room_id in locked]
            outcomes = self._run_actions(log, free)
            log.commit()
            if connection.needs_rollback:
                # Django would undo it without a word: nobody is to be answered.
                raise TransactionManagementError("Something has marked the batch to be undone")
        self.commit_seconds.observe(monotonic() - began)
        self.commit_actions.observe(len(free))
        if self.outage.lasting:
            self.outage.over()
        self._committed(
            [(item.done, outcome) for item, outcome in zip(free, outcomes, strict=True)],
            log.news(),
        )
        for item in held:
            self._to_lane(item)
        return True

    def _run_actions(self, log: LogTransaction, items: list[Item]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for sends, run in _runs(items):
            if sends:
                outcomes += send_all(log, [item.action for item in run])  # type: ignore[misc]
            else:
                outcomes += [self._run_one(log, item.action) for item in run]
        return outcomes

    def _run_one(self, log: LogTransaction, action: Action) -> Any:
        try:
            action.check_barred()
            log.flush()  # it may read what was sent before it
            return action.run(log)
        except ProtocolError as error:
            return error

    # Lanes: rooms that somebody else holds

    def _pass_to_lanes(self, items: list[Item]) -> list[Item]:
        """What belongs to a room in a lane goes behind what waits there, to keep the order."""
        if not self._lanes:
            return items
        rest = []
        with self._lanes_lock:
            for item in items:
                lane = self._lanes.get(item.room_id) if item.room_id is not None else None
                if lane is not None:
                    lane.append(item)
                else:
                    rest.append(item)
        return rest

    def _to_lane(self, item: Item) -> None:
        assert item.room_id is not None
        with self._lanes_lock:
            lane = self._lanes.get(item.room_id)
            if lane is not None:
                lane.append(item)
                return
            self._lanes[item.room_id] = deque([item])
        work = partial(self._run_lane, item.room_id)
        try:
            threading.Thread(target=work, name="tertulia-lane", daemon=True).start()
        except RuntimeError:
            logger.exception("A lane could not be begun")
            self._close_lane(item.room_id)

    def _run_lane(self, room_id: int) -> None:
        try:
            try:
                while items := self._take_lane(room_id):
                    self._write_in_turn(items)
            finally:
                connection.close()
        except Exception:
            logger.exception("A lane has failed")
            self._close_lane(room_id)

    def _write_in_turn(self, items: list[Item]) -> None:
        """With a place it waits for its room. Where others have all of them it looks, one lane at a
        time, whether the room is free, as most are in a moment, since it was the writer of another
        process that held them."""
        while not self._lane_places.acquire(blocking=False):
            with self._lane_look:
                if self._write_lane(items, patient=False):
                    return
            # However many rooms are held, they hold no more connections.
            connection.close()
            if self._lane_places.acquire(timeout=LANE_LOOK):
                break
        try:
            self._write_lane(items, patient=True)
        finally:
            self._lane_places.release()

    def _close_lane(self, room_id: int) -> None:
        """What waits in it is answered, and what comes next begins another one."""
        with self._lanes_lock:
            items = list(self._lanes.pop(room_id, ()))
        self._fail(items, unavailable("The chat could not write this just now."))

    def _take_lane(self, room_id: int) -> list[Item]:
        """All that waits for the room; with nothing left the lane is closed."""
        with self._lanes_lock:
            lane = self._lanes[room_id]
            items = [lane.popleft() for _ in range(min(len(lane), BATCH))]
            if not items:
                del self._lanes[room_id]
            return items

    def _write_lane(self, items: list[Item], *, patient: bool) -> bool:
        """Whether they have been answered."""
        began = monotonic()
        try:
            return self._commit(items, lane=True, patient=patient)
        except (OperationalError, InterfaceError) as error:
            if not patient and _is_one_items(error):
                connection.close()
                return False
            logger.warning(
                "A room was held by somebody else for %.1f s: %s", monotonic() - began, error
            )
            connection.close()
            # What came behind them is refused with them: a retry would be behind it otherwise.
            items = [*items, *self._behind(items[0].room_id)]
            self.held += len(items)
            self._fail(items, unavailable("The room is held by another transaction."))
        except Exception:
            if not patient:
                # Each alone may take its time, which is for who has a place.
                connection.close()
                return False
            logger.warning("A lane's batch failed; each goes alone", exc_info=True)
            self._write_each(items, lane=True)
        return True

    def _behind(self, room_id: int | None) -> list[Item]:
        """What waits in a lane, which is empty then."""
        with self._lanes_lock:
            lane = self._lanes.get(room_id, deque()) if room_id is not None else deque()
            items = list(lane)
            lane.clear()
        return items

    # Failing

    def _database_away(self, items: list[Item], error: Exception) -> None:
        """Locked, full, restarting: nobody knows more than that a retry is safe."""
        self.outage.failed(error)
        connection.close()
        self._fail(items, unavailable("The database cannot be written at the moment."))

    def _another_history(self, items: list[Item], epoch: str) -> None:
        """A backup was restored: what was meant for the history before is not written to this."""
        self._fail(items, unavailable("A backup was restored at this moment."))
        self._committed([], News(epoch=epoch))

    def _fail(self, items: list[Item], error: ProtocolError) -> None:
        self._committed([(item.done, error) for item in items], None)


def _is_one_items(error: Exception) -> bool:
    """Whether it is one item's trouble and not the database's: on PostgreSQL a row that was
    waited for in vain, a deadlock, a serialization failure."""
    return getattr(error.__cause__, "sqlstate", None) in ("55P03", "40P01", "40001")


def _runs(items: list[Item]) -> Iterator[tuple[bool, list[Item]]]:
    """Neighbouring sends together, since they share their statements; the rest apart."""
    run: list[Item] = []
    for item in items:
        sends = isinstance(item.action, SendMessage)
        if run and isinstance(run[-1].action, SendMessage) != sends:
            yield not sends, run
            run = []
        run.append(item)
    if run:
        yield isinstance(run[-1].action, SendMessage), run
