"""Breaks the product on purpose, one promise at a time, from outside.

A server started with this folder on PYTHONPATH and BREAK=name runs with one part replaced
as soon as that part's module has been imported. The product knows nothing of it.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import itertools
import os
import sys
import time
from collections.abc import Callable
from typing import Any

EVERY = 15  # how often a break that comes and goes shows itself


def i1_answer_before_commit(writer: Any) -> None:
    """The reply goes out before the commit, and now and then the commit fails."""
    honest = writer.Writer._run_actions
    turns = itertools.count(1)

    def run_actions(self: Any, log: Any, items: list[Any]) -> list[Any]:
        outcomes: list[Any] = honest(self, log, items)
        if next(turns) % EVERY == 0:
            writer.transaction.set_rollback(True)
        return outcomes

    writer.Writer._run_actions = run_actions


def i2_keys_forgotten(postgres: Any) -> None:
    """No look at the keys sent before; the test drops the unique constraint."""
    honest = postgres.find

    def find(cursor: Any, wanted: Any, **how: Any) -> Any:
        return honest(cursor, wanted, **how)._replace(keys=[])

    postgres.find = find


def i3_neighbours_swapped(room: Any) -> None:
    """Two events that come together are passed on in the wrong order."""
    honest = room.LiveRoom.accept

    def accept(self: Any, events: list[Any]) -> None:
        honest(self, events[::-1] if len(events) > 1 else events)

    room.LiveRoom.accept = accept


def i4_a_sequence_with_gaps(log: Any) -> None:
    """The seq comes from a counter that skips, as a database sequence does after a rollback."""
    honest = log.LogTransaction.next_seq
    turns = itertools.count(1)

    def next_seq(self: Any, room: Any) -> int:
        if next(turns) % EVERY == 0:
            room.head += 1
        return int(honest(self, room))

    log.LogTransaction.next_seq = next_seq


def i5_stale_reads(read: Any) -> None:
    """Reads are answered from a copy that is up to two seconds old."""
    honest = read.subscription
    kept: dict[Any, tuple[float, Any]] = {}

    def subscription(speaker: Any, room_id: int, *how: Any) -> Any:
        key = (speaker.id, room_id, *how)
        made, snapshot = kept.get(key, (0.0, None))
        if time.monotonic() - made > 2:
            snapshot = honest(speaker, room_id, *how)
            kept[key] = (time.monotonic(), snapshot)
        return snapshot

    read.subscription = subscription


def i6_removal_ends_nothing(log: Any) -> None:
    """The event of a removal no longer says that the removed may read no more."""
    honest = log.LogTransaction.append

    def append(self: Any, *args: Any, ends: bool = False, **kwargs: Any) -> int:
        return int(honest(self, *args, ends=False, **kwargs))

    log.LogTransaction.append = append


BREAKS: dict[str, tuple[str, Callable[[Any], None]]] = {
    "I1": ("tertulia.chat.writer", i1_answer_before_commit),
    "I2": ("tertulia.chat.sql.postgres", i2_keys_forgotten),
    "I3": ("tertulia.hub.room", i3_neighbours_swapped),
    "I4": ("tertulia.chat.log", i4_a_sequence_with_gaps),
    "I5": ("tertulia.chat.read", i5_stale_reads),
    "I6": ("tertulia.chat.log", i6_removal_ends_nothing),
}


class _Breaker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets the module be imported as usual, then replaces a part of it."""

    def __init__(self, module: str, replace: Callable[[Any], None]) -> None:
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
        self.replace(module)


if os.environ.get("BREAK"):
    sys.meta_path.insert(0, _Breaker(*BREAKS[os.environ["BREAK"]]))
