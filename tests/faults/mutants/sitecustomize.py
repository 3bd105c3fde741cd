"""Mutants of the product: one promise broken at a time, on purpose and from outside.

A server started with this folder on PYTHONPATH and MUTANT=name runs with one part replaced as
soon as that part's module has been imported. While the file SHAKE exists every sixth transaction of
the writer fails at its end, with mutants and without. The product knows nothing of either.
"""

from __future__ import annotations

import asyncio
import importlib.abc
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable
from typing import Any

EVERY = 6


def shake(writer: Any) -> None:
    """Now and then a transaction is rolled back when all has been done but the commit."""
    honest = writer.Writer._run_actions
    turns = itertools.count(1)
    while_there = os.environ["SHAKE"]

    def run_actions(self: Any, log: Any, items: list[Any]) -> list[Any]:
        outcomes: list[Any] = honest(self, log, items)
        if os.path.exists(while_there) and next(turns) % EVERY == 0:
            raise writer.OperationalError("the commit has failed")
        return outcomes

    writer.Writer._run_actions = run_actions


def publish_before_commit(writer: Any) -> None:
    """The events go to everybody before they are committed."""
    honest = writer.Writer._run_actions

    def run_actions(self: Any, log: Any, items: list[Any]) -> list[Any]:
        outcomes: list[Any] = honest(self, log, items)
        self._committed([], log.news())
        return outcomes

    writer.Writer._run_actions = run_actions


def reply_before_commit(writer: Any) -> None:
    """The answers go out before the commit."""
    honest = writer.Writer._run_actions

    def run_actions(self: Any, log: Any, items: list[Any]) -> list[Any]:
        outcomes: list[Any] = honest(self, log, items)
        told = [(item.done, outcome) for item, outcome in zip(items, outcomes, strict=True)]
        self._committed(told, None)
        for item in items:
            item.done = lambda outcome: None
        return outcomes

    writer.Writer._run_actions = run_actions


def database_sequence(log: Any) -> None:
    """The seq comes from a sequence, which a rollback does not set back."""
    last: dict[int, int] = {}

    def next_seq(self: Any, room: Any) -> int:
        room.head = last[room.id] = max(last.get(room.id, 0), room.head) + 1
        room.dirty = True
        return int(room.head)

    log.LogTransaction.next_seq = next_seq


def no_unique_key(postgres: Any) -> None:
    """No look at the keys that were sent before; the test drops the unique constraint."""
    honest = postgres.find

    def find(cursor: Any, wanted: Any, **how: Any) -> Any:
        return honest(cursor, wanted, **how)._replace(keys=[])

    postgres.find = find


def no_sweep(sweep: Any) -> None:
    """Nobody compares the database with what has been passed on."""

    async def run(self: Any) -> None:
        await asyncio.Event().wait()

    sweep.Sweep.run = run


def groups_only_in_redis(sweep: Any) -> None:
    """Which rooms a process serves is known to Redis alone: nothing is joined anew, and only
    rooms whose group Redis still has are looked after."""
    import redis

    from tertulia.chat import layer, news, read

    honest_look, honest_rejoin = sweep.look, layer.LayerLink.rejoin
    client = redis.Redis.from_url(os.environ["REDIS_URL"])

    def look(room_ids: list[int], after: int) -> Any:
        epoch = read.epoch()
        groups = {room: f"asgi:group:{news.room_group(epoch, room)}" for room in room_ids}
        return honest_look([room for room, key in groups.items() if client.exists(key)], after)

    async def rejoin(self: Any) -> None:
        if not self.rejoins:
            await honest_rejoin(self)

    sweep.look = look
    layer.LayerLink.rejoin = rejoin


def no_check_after_removal(log: Any) -> None:
    """The event of a removal does not say that the removed may read no more."""
    honest = log.LogTransaction.append

    def append(self: Any, *args: Any, ends: bool = False, **kwargs: Any) -> int:
        return int(honest(self, *args, ends=False, **kwargs))

    log.LogTransaction.append = append


def resume_by_time(read: Any) -> None:
    """Who comes back is given what is later than the last event he has, by the clock."""

    def resume(room: Any, after: int) -> Any:
        from tertulia.chat.models import Event

        events = Event.objects.filter(room_id=room.id)
        last = events.filter(seq=after).values_list("at", flat=True).first()
        later = events.filter(at__gt=last) if last else events
        wanted = set(later.values_list("seq", flat=True))
        found = read.events_after(room, after, read.RESUME_EVENTS)
        return [event for event in found if event.seq in wanted]

    read._resume = resume


def stale_reads(read: Any) -> None:
    """While the file is there, pages of history are those of a replica that has stopped."""
    honest = read.history
    kept: dict[str, Any] = {}

    def history(speaker: Any, slug: str, *args: Any, **kwargs: Any) -> Any:
        page = honest(speaker, slug, *args, **kwargs)
        return kept.setdefault(slug, page) if os.path.exists(os.environ["SHAKE"]) else page

    read.history = history


def unbounded_queue(connection: Any) -> None:
    """What waits for a socket is without bound."""
    connection.OUTBOX_BYTES = 1 << 60


MUTANTS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "publish_before_commit": ("tertulia.chat.writer", publish_before_commit),
    "reply_before_commit": ("tertulia.chat.writer", reply_before_commit),
    "database_sequence": ("tertulia.chat.log", database_sequence),
    "no_unique_key": ("tertulia.chat.sql.postgres", no_unique_key),
    "no_sweep": ("tertulia.chat.sweep", no_sweep),
    "groups_only_in_redis": ("tertulia.chat.sweep", groups_only_in_redis),
    "no_check_after_removal": ("tertulia.chat.log", no_check_after_removal),
    "resume_by_time": ("tertulia.chat.read", resume_by_time),
    "stale_reads": ("tertulia.chat.read", stale_reads),
    "unbounded_queue": ("tertulia.hub.connection", unbounded_queue),
}


class _Replacer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets the module be imported as usual, then replaces parts of it."""

    def __init__(self, module: str, replace: list[Callable[[Any], None]]) -> None:
        self.module = module
        self.replace = replace

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != self.module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec
        self.honest = spec.loader
        spec.loader = self
        return spec

    def create_module(self, spec: Any) -> Any:
        return self.honest.create_module(spec)  # type: ignore[union-attr]

    def exec_module(self, module: Any) -> None:
        self.honest.exec_module(module)  # type: ignore[union-attr]
        for replace in self.replace:
            replace(module)


def _install() -> None:
    """The mutant first: what shakes is around it."""
    wanted = [MUTANTS[os.environ["MUTANT"]]] if os.environ.get("MUTANT") else []
    if os.environ.get("SHAKE"):
        wanted.append(("tertulia.chat.writer", shake))
    for module in {module for module, _ in wanted}:
        parts = [replace for where, replace in wanted if where == module]
        sys.meta_path.insert(0, _Replacer(module, parts))


_install()
