"""A hub without a database or sockets: a log in memory and transports that keep what they get."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tertulia.hub.connection import Connection
from tertulia.hub.hub import Hub
from tertulia.hub.room import LiveRoom
from tertulia.hub.sequencer import LogEvent
from tertulia.protocol.events import Person
from tertulia.protocol.frames import Frames

ROOM = 7


def event(
    seq: int, *, member: str | None = None, ends: bool = False, kind: str = "message.created"
) -> LogEvent:
    """An event as the log has it; its payload says its seq."""
    message = {"author": {"name": "ana"}, "text": f"t{seq}", "sent_at": "x", "deleted": False}
    payload = {"type": kind, "room": "lobby", "seq": seq, "message": message}
    return LogEvent(seq, kind, json.dumps(payload).encode(), member=member, ends=ends)


class FakeTransport:
    """A socket that takes everything, or nothing (`stuck`)."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.writes = 0
        self.stuck = 0
        self.closed: tuple[int, str] | None = None
        self.pings = 0
        self.broken = False

    clear = None

    def send(self, frames: Frames) -> int:
        if self.broken:
            raise OSError("broken")
        self.writes += 1
        self.frames += [json.loads(text) for text in frames.texts]
        return self.stuck

    def buffered(self) -> int:
        return self.stuck

    def ping(self, behind: Frames | None = None) -> bool:
        self.pings += 1
        if behind is not None:
            self.send(behind)
        return True

    def start(self) -> None:
        pass

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    @property
    def seqs(self) -> list[int]:
        """The seqs of the durable events that came."""
        return [frame["seq"] for frame in self.frames if "seq" in frame]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame.get("type") == kind]


class FakeBackend:
    """The log in memory, and what was spread to other processes."""

    def __init__(self) -> None:
        self.log: list[LogEvent] = []
        self.spreads: list[dict[str, Any]] = []
        self.reads = 0
        self.unwatched: list[int] = []

    async def read_head(self, room_id: int) -> int:
        return self.log[-1].seq if self.log else 0

    async def read_log(self, room_id: int, after: int, limit: int) -> list[LogEvent]:
        self.reads += 1
        return [item for item in self.log if item.seq > after][:limit]

    async def watch(self, room: LiveRoom) -> None:
        pass

    def unwatch(self, room: LiveRoom) -> None:
        self.unwatched.append(room.id)

    def spread(self, room: LiveRoom, told: dict[str, Any]) -> None:
        self.spreads.append(told)


class Stage:
    """A hub with a log, and people who listen to one room."""

    def __init__(self, heartbeat: int = 25) -> None:
        self.backend = FakeBackend()
        self.hub = Hub(self.backend, heartbeat)

    def connect(self, name: str = "ana", *, classic: bool = False) -> Connection:
        connection = Connection(self.hub, FakeTransport(), classic=classic)
        self.hub.add(connection, Person(name, name, "member", None))
        return connection

    def listen(self, name: str = "ana", *, head: int | None = None, **kwargs: Any) -> Connection:
        """Connected and subscribed, knowing the log up to `head` (its present end)."""
        connection = self.connect(name, **kwargs)
        subscription = self.hub.subscribe(connection, ROOM, "lobby")
        subscription.room.begin(self.head if head is None else head)
        self.hub.go_live(subscription, self.head if head is None else head, "member", 2)
        return connection

    @property
    def head(self) -> int:
        return self.backend.log[-1].seq if self.backend.log else 0

    def append(self, *events: LogEvent, tell: bool = True) -> None:
        """Commit events, and tell the hub unless the news are to be lost."""
        self.backend.log += events
        if tell:
            self.hub.offer(ROOM, list(events))


def heard(connection: Connection) -> FakeTransport:
    """The transport of a connection."""
    transport = connection.transport
    assert isinstance(transport, FakeTransport)
    return transport


async def settle(seconds: float = 0.0) -> None:
    """Let everything that is due happen."""
    if seconds:
        await asyncio.sleep(seconds)
    for _ in range(20):
        await asyncio.sleep(0)
