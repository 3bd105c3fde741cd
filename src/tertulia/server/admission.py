"""Only so many handshakes are under way at once; the others wait, in the order in which they came.

They wait, too, while the application still owes those who are in too many answers: each who comes
asks for his rooms at once. A handshake takes tasks, a scope and whatever the application makes of
it, for a moment, and so does an answer; the connection that is left behind stays for hours. Of
thousands of both in one moment the lasting objects lie scattered among the passing ones, and the
allocator cannot give back a page of them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from uvicorn.server import ServerState

from . import handshake
from .sockets import OTHER_FILES, open_files

if TYPE_CHECKING:
    from .websocket import WebSocketProtocol

# Handshakes under way at once: enough that what they ask the database is asked for many together.
AT_ONCE = 200
# Seconds after which a handshake that is not over gives its place on: what it waits for, such as
# a database that does not answer, is not to hold up those who wait for something else.
PLACE_SECONDS = 10.0
# Answers owed at which nobody else is let in, and seconds until that is looked at again.
OWED = 200
BREATH = 0.02
# Seconds after which somebody may come again whom we could not let wait.
RETRY_SECONDS = 5


# How many answers the application owes; it sets this, if it counts them.
owed: Callable[[], int] = int


class Admission:
    """The handshakes of one server: those under way, and those who wait for a place."""

    def __init__(self, state: ServerState, loop: asyncio.AbstractEventLoop) -> None:
        self._connections = state.connections
        self._loop = loop
        # In the order in which they were begun, each with the time until which it has its place.
        self._under_way: dict[WebSocketProtocol, float] = {}
        # In the order in which they came, with what they ask for.
        self._waiting: OrderedDict[WebSocketProtocol, bytes] = OrderedDict()
        # Since when too many answers have been owed, in the loop's time, as far as was looked.
        self._owing_since: float | None = None
        # One timer for all: the next place to be given on. And the turn that gives free ones.
        self._timer: asyncio.TimerHandle | None = None
        self._turn: asyncio.Handle | None = None

    def come(
        self,
        protocol: WebSocketProtocol,
        request: handshake.Request,
        known: dict[str, Any] | None,
    ) -> None:
        """Begin this handshake, or let it wait; 503 where that would take the last files."""
        if not self._waiting and self._free():
            self._begin(protocol, request, known)
            return
        files = open_files()
        if files is not None and len(self._connections) > files - OTHER_FILES:
            again = [(b"retry-after", str(RETRY_SECONDS).encode())]
            protocol.answer(handshake.response(503, again, b"Too many connections.\n"))
            return
        self._waiting[protocol] = handshake.written(request)
        self._watch()

    def waits(self, protocol: WebSocketProtocol) -> bool:
        """Whether its handshake has still to be begun."""
        return protocol in self._waiting

    def forget(self, protocol: WebSocketProtocol) -> None:
        """It has gone, or shall go, before its turn."""
        self._waiting.pop(protocol, None)

    def over(self, protocol: WebSocketProtocol) -> None:
        """Its handshake is over. May be told more than once."""
        # With the next turn: until then what it leaves behind has been cleared away.
        if self._under_way.pop(protocol, None) is not None and self._waiting and self._turn is None:
            self._turn = self._loop.call_soon(self._give)

    def _begin(
        self,
        protocol: WebSocketProtocol,
        request: handshake.Request,
        known: dict[str, Any] | None = None,
    ) -> None:
        self._under_way[protocol] = self._loop.time() + PLACE_SECONDS
        protocol.start_application(request, known)

    def _give(self) -> None:
        """Free places to those who wait, the first of them first."""
        self._turn = None
        while self._waiting and self._free():
            protocol, request = self._waiting.popitem(last=False)
            self._begin(protocol, handshake.parse(request))
        self._watch()

    def _free(self) -> bool:
        """Whether one more may be begun now."""
        return len(self._under_way) < AT_ONCE and not self._owes()

    def _owes(self) -> bool:
        """Too many answers are owed; where that does not end, all who come are let in all the same,
        as the places allow."""
        if owed() < OWED:
            self._owing_since = None
            return False
        now = self._loop.time()
        if self._owing_since is None:
            self._owing_since = now
        return now - self._owing_since < PLACE_SECONDS

    def _watch(self) -> None:
        """As long as somebody waits, the oldest place ends in time, and debts are looked at."""
        if not self._waiting:
            return
        if self._owes():
            when = self._loop.time() + BREATH
        elif self._under_way:
            when = next(iter(self._under_way.values()))
        else:
            return
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._take_back)

    def _take_back(self) -> None:
        """The places that have been held for long enough."""
        self._timer = None
        now = self._loop.time()
        for protocol in [one for one, until in self._under_way.items() if until <= now]:
            del self._under_way[protocol]
        self._give()


_of: WeakKeyDictionary[ServerState, Admission] = WeakKeyDictionary()


def admission(state: ServerState, loop: asyncio.AbstractEventLoop) -> Admission:
    """That of this server."""
    found = _of.get(state)
    if found is None:
        found = _of[state] = Admission(state, loop)
    return found
