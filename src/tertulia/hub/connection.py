"""One person's open socket, and the transport for servers that offer nothing better than ASGI."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from tertulia.protocol.errors import Close
from tertulia.protocol.events import Person
from tertulia.protocol.frames import Frames

if TYPE_CHECKING:
    from .hub import Hub
    from .room import Subscription

# Bytes that may wait for one socket; over it the connection is closed with 1013 and the
# client resumes by seq.
OUTBOX_BYTES = 4 * 1024 * 1024
# Seconds for the peer to answer a close before the socket is cut.
CLOSE_SECONDS = 10.0


Send = Callable[[dict[str, Any]], Awaitable[None]]


class Transport(Protocol):
    """What a connection needs of a socket. None of it waits."""

    # The socket itself while all that was sent is in the kernel, so that `send` on it is in
    # order; None while something waits, once it is closed, and where there is no such thing.
    clear: Any

    def send(self, frames: Frames) -> int:
        """Put frames into the outbox; how many bytes wait there."""
        ...

    def buffered(self) -> int:
        """How many bytes wait in the outbox."""
        ...

    def ping(self, behind: Frames | None) -> bool:
        """Send a WebSocket ping, and frames behind it in the same write; False where the server
        cannot, and watches by itself: then nothing was sent."""
        ...

    def start(self) -> None:
        """The socket has been accepted: what waits may go."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what waits; cut the socket after `CLOSE_SECONDS`."""


class DirectTransport(Transport, Protocol):
    """What `tertulia.server` offers besides: the way out of ASGI."""

    def rest(self, data: bytes, sent: int) -> int:
        """Of what was written to `clear` only `sent` bytes were taken; how many wait now."""
        ...

    def unsent(self, data: bytes, error: OSError) -> int:
        """What was written to `clear` was refused; how many bytes wait now."""
        ...

    # Whether `leave` was called.
    left: bool

    def leave(self, handler: Any) -> None:
        """The handler gets all that comes from here on; the application may return."""

    def hold(self) -> None:
        """No more messages until `release`."""

    def release(self) -> None:
        """Messages may come again."""


class Connection:
    """A socket whose speaker is known, registered with the hub of its process."""

    __slots__ = (
        "_only",
        "_several",
        "bearer",
        "classic",
        "closed",
        "code",
        "credential",
        "echo",
        "hub",
        "mark",
        "own",
        "person",
        "seen",
        "session_key",
        "speaker",
        "token_digest",
        "transport",
        "turn",
    )

    def __init__(self, hub: Hub, transport: Transport, *, classic: bool = False) -> None:
        self.hub = hub
        self.transport = transport
        self.classic = classic
        self.echo = True
        self.closed = False
        # The code with which we closed it, if it was we.
        self.code: int | None = None
        self.person: Person | None = None
        # The application's own idea of the speaker, opaque to the hub.
        self.speaker: Any = None
        # What its connect tokens are made for, opaque too; None: the client takes none.
        self.credential: Any = None
        self.session_key: str | None = None
        self.token_digest: str | None = None
        # What a token says that is signed and kept nowhere, opaque once more.
        self.bearer: str | None = None
        # Changes of access up to this id were known when the speaker was identified.
        self.mark = 0
        # Its subscription, or all of them by room once there are several: most have one, and a
        # dictionary for it would take 224 bytes.
        self._only: Subscription | None = None
        self._several: dict[int, Subscription] | None = None
        # With echo off: (room, seq) of what this connection sent and shall not get back.
        self.own: set[tuple[int, int]] | None = None
        # The hub's second in which the last sign of life came.
        self.seen = hub.seconds
        # The second of the heartbeat at which it is this connection's turn.
        self.turn = 0

    @property
    def subscriptions(self) -> list[Subscription]:
        """All of them."""
        if self._several is not None:
            return list(self._several.values())
        return [] if self._only is None else [self._only]

    def subscription(self, room_id: int) -> Subscription | None:
        """That of this room, if there is one."""
        if self._several is not None:
            return self._several.get(room_id)
        only = self._only
        return only if only is not None and only.room.id == room_id else None

    def put_subscription(self, subscription: Subscription) -> None:
        """One more, of a room of which there is none."""
        if self._only is None and self._several is None:
            self._only = subscription
            return
        if self._several is None:
            self._several = {one.room.id: one for one in self.subscriptions}
            self._only = None
        self._several[subscription.room.id] = subscription

    def pop_subscription(self, room_id: int) -> Subscription | None:
        """Take that of this room away, if there is one."""
        subscription = self.subscription(room_id)
        if subscription is not None:
            if self._several is not None:
                del self._several[room_id]
            self._only = None
        return subscription

    def keep_back(self, room_id: int, seq: int) -> None:
        """This connection sent it, and shall not get it back."""
        if self.own is None:
            self.own = set()
        self.own.add((room_id, seq))

    def sign_of_life(self) -> None:
        """A frame or a pong has come."""
        self.seen = self.hub.seconds

    def is_person(self, public_id: str | None) -> bool:
        """Whether this is a socket of that person."""
        return self.person is not None and self.person.id == public_id

    def send(self, payload: bytes) -> None:
        """One frame to this connection alone."""
        self.deliver(Frames([payload]))

    def deliver(self, frames: Frames) -> None:
        """The same frames as others get, into this connection's outbox."""
        if self.closed:
            return
        self.waits(self.transport.send(frames))

    def waits(self, size: int) -> None:
        """So many bytes wait for this socket."""
        if size > OUTBOX_BYTES:
            self.hub.counts.overflows += 1
            self.close(Close.TOO_SLOW, retry_after=1.0)

    def close(self, code: int, *, retry_after: float | None = None) -> None:
        """End the connection. Nothing is delivered to it from here on."""
        if self.closed:
            return
        self.closed = True
        self.code = int(code)
        self.hub.counts.closed[int(code)] += 1
        self.hub.drop(self)
        reason = "" if retry_after is None else json.dumps({"retry_after": retry_after})
        self.transport.close(int(code), reason)


async def close_asgi(send: Send, code: int, reason: str) -> None:
    """Close by ASGI. daphne's WebSocket library refuses 1009, 1012 and 1013: then it is 1000."""
    try:
        await send({"type": "websocket.close", "code": code, "reason": reason})
    except Exception:  # noqa: BLE001 - servers raise their own types
        await send({"type": "websocket.close", "code": 1000, "reason": reason})


class AsgiTransport:
    """An outbox and a pump, for servers that only know ASGI's `send`.

    One task a connection, woken when its outbox was empty; never one a recipient and message.
    """

    clear = None

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[str] = deque()
        self._bytes = 0
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._consumer = asyncio.current_task()
        self._pump: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._pump = asyncio.ensure_future(self._run())

    def send(self, frames: Frames) -> int:
        self._queue.extend(frames.texts)
        self._bytes += sum(map(len, frames.payloads))
        self._wake.set()
        return self._bytes

    def buffered(self) -> int:
        return self._bytes

    def ping(self, behind: Frames | None) -> bool:
        return False

    def close(self, code: int, reason: str) -> None:
        self._closing = (code, reason)
        self._wake.set()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._cut)

    def stop(self) -> None:
        """The consumer has ended: nothing can be sent any more."""
        self._consumer = None
        if self._pump is not None:
            self._pump.cancel()

    def _cut(self) -> None:
        """ASGI has no word for it. uvicorn's own classes wait for ever for a peer who never reads
        what their transport holds, so theirs is ended, which ends the consumer too."""
        protocol = getattr(self._send, "__self__", None)
        abort = getattr(getattr(protocol, "transport", None), "abort", None)
        if callable(abort):
            abort()
        elif self._consumer is not None:
            self._consumer.cancel()

    async def _run(self) -> None:
        try:
            while self._queue or self._closing is None:
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                text = self._queue.popleft()
                self._bytes -= len(text.encode())
                await self._send({"type": "websocket.send", "text": text})
            await close_asgi(self._send, *self._closing)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - servers raise their own types once the peer has gone
            self._queue.clear()
            self._bytes = 0
