"""Where the failpoints are: which function of the product each is put before, behind or around.

A replacement calls `visit()`, which says whether the point's action is due now, and what was said
of it. A function that is no longer there is told at the start: see `find`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .firing import Firing

ENDS = ("kill", "exit")
# Seconds after which news that are held to be reordered are passed on, few as they may be.
HELD = 0.25


@dataclass(frozen=True)
class Point:
    """`target`: module, class and function. `put(honest, firing)` returns what replaces it."""

    name: str
    target: tuple[str, str, str]
    actions: tuple[str, ...]
    what: str
    put: Callable[[Any, Firing], Any]
    aliases: tuple[str, ...] = ()
    # Positional names that the replacement relies on, after self.
    takes: tuple[str, ...] = ()


class Gone(Exception):
    """A function that a failpoint replaces is not what it was; one line."""


def find(point: Point) -> tuple[Any, Any]:
    """The class, and the function in it that is replaced. Raises Gone. Needs Django's apps."""
    module, owner, name = point.target
    try:
        holder = getattr(importlib.import_module(module), owner)
        honest = inspect.getattr_static(holder, name)
        known = tuple(inspect.signature(honest).parameters)[1:]
    except (ImportError, AttributeError, TypeError) as error:
        raise Gone(f"failpoint {point.name}: {'.'.join(point.target)}: {error}") from None
    if known[: len(point.takes)] != point.takes:
        raise Gone(f"failpoint {point.name}: {'.'.join(point.target)} takes {', '.join(known)} now")
    return holder, honest


def _before(honest: Any, firing: Firing) -> Any:
    """The action comes first; what is dropped is not done at all."""

    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        if firing.act() == "drop":
            return None
        return honest(self, *args, **kwargs)

    return replaced


def _behind(honest: Any, firing: Firing) -> Any:
    def replaced(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = honest(self, *args, **kwargs)
        firing.act()
        return result

    return replaced


def _after_commit(honest: Any, firing: Firing) -> Any:
    """`told` is None where nothing was committed: a batch that failed is told of, too."""

    def replaced(self: Any, outcomes: Any, told: Any) -> None:
        if told is not None:
            firing.act()
        honest(self, outcomes, told)

    return replaced


def _after_publish(honest: Any, firing: Firing) -> Any:
    """Around the layer that a link is made with."""

    class Layer:
        def __init__(self, layer: Any) -> None:
            self._layer = layer

        def __getattr__(self, name: str) -> Any:
            return getattr(self._layer, name)

        async def group_send(self, *args: Any) -> None:
            await self._layer.group_send(*args)
            await firing.act_in_loop()

    def replaced(self: Any, *args: Any, **kwargs: Any) -> None:
        honest(self, *args, **kwargs)
        if self.layer is not None:
            self.layer = Layer(self.layer)

    return replaced


def _layer_receive(honest: Any, firing: Firing) -> Any:
    held: list[Any] = []

    def let_go(self: Any) -> None:
        firing.random.shuffle(held)
        passed, held[:] = held[:], []
        for envelope in passed:
            honest(self, envelope)

    def replaced(self: Any, envelope: Any) -> None:
        action = firing.act()
        loop = asyncio.get_running_loop()
        if action == "delay":
            loop.call_later(firing.argument, honest, self, envelope)
        elif action == "reorder":
            held.append(envelope)
            if len(held) >= firing.argument:
                let_go(self)
            elif len(held) == 1:
                loop.call_later(HELD, let_go, self)
        elif action != "drop":
            honest(self, envelope)
            if action == "double":
                honest(self, envelope)

    return replaced


def _database_connect(honest: Any, firing: Firing) -> Any:
    from django.db import OperationalError

    firing.error = OperationalError

    def replaced(self: Any) -> None:
        firing.act()
        honest(self)

    return replaced


def _sweep(honest: Any, firing: Firing) -> Any:
    async def replaced(self: Any) -> None:
        if await firing.act_in_loop() != "drop":
            await honest(self)

    return replaced


_WRITER = "tertulia.chat.writer"
_RUNTIME = "tertulia.chat.runtime"
_LAYER = "tertulia.chat.layer"

POINTS = (
    Point(
        "before-commit",
        (_WRITER, "Writer", "_run_actions"),
        (*ENDS, "raise", "sleep"),
        "In the writing transaction, all statements done. In the writer's thread.",
        _behind,
        takes=("log", "items"),
    ),
    Point(
        "after-commit",
        (_RUNTIME, "Runtime", "_committed"),
        (*ENDS, "raise", "sleep"),
        "Committed, and nobody told yet. In the writer's thread. raise: the batch is tried again.",
        _after_commit,
        takes=("outcomes", "told"),
    ),
    Point(
        "before-reply",
        (_RUNTIME, "Runtime", "_after_commit"),
        (*ENDS, "raise", "sleep", "drop"),
        "On the loop, before the replies of a commit. raise and drop: neither replies nor news.",
        _before,
        takes=("outcomes", "told"),
    ),
    Point(
        "before-publish",
        (_RUNTIME, "Runtime", "tell"),
        (*ENDS, "raise", "sleep", "drop"),
        "On the loop, replies given, before events go to the hub and to the layer.",
        _before,
        aliases=("after-reply",),
        takes=("told",),
    ),
    Point(
        "after-publish",
        (_LAYER, "LayerLink", "__init__"),
        (*ENDS, "raise", "sleep"),
        "The layer has the news. Only where there is one. raise: as if the layer had failed.",
        _after_publish,
    ),
    Point(
        "before-fan-out",
        ("tertulia.hub.room", "LiveRoom", "_deliver"),
        (*ENDS, "sleep", "drop"),
        "On the loop, before events go to a room's subscribers. drop: they get nothing, for ever:"
        " not a fault that the product mends, but one that a checker must find.",
        _before,
        takes=("part", "chunk"),
    ),
    Point(
        "layer-receive",
        (_LAYER, "LayerLink", "_take"),
        (*ENDS, "sleep", "drop", "delay", "reorder", "double"),
        "News have come from another process. reorder(N): N of them are passed on shuffled; double:"
        " it is passed on twice.",
        _layer_receive,
        takes=("envelope",),
    ),
    Point(
        "database-connect",
        ("django.db.backends.base.base", "BaseDatabaseWrapper", "connect"),
        (*ENDS, "raise", "sleep"),
        "A connection to the database is opened, in whichever thread. raise: it does not answer.",
        _database_connect,
    ),
    Point(
        "sweep",
        ("tertulia.chat.sweep", "Sweep", "_sweep"),
        (*ENDS, "raise", "sleep", "drop"),
        "Before the sweep's look at the database. drop: no look.",
        _sweep,
    ),
)
