"""A uvicorn WebSocket class whose connections can leave ASGI after their handshake.

It adds `tertulia.transport` to the scope's extensions: the socket itself. What is written there
is a ready-made frame that goes straight to the kernel, without a coroutine, a queue or framing
for a recipient; and an application that calls `leave` with a handler object may return: no
task, queue or scope is kept for the connection from then on. An application that knows nothing
of this is served as ASGI says. Messages are never compressed.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import TimerHandle
from collections.abc import Iterator
from socket import SocketType
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from tertulia.protocol.frames import Frames

from . import framing, handshake
from .admission import Admission, admission
from .application import Application
from .framing import CLOSE, PING, PONG, Message, Reader, Violation
from .sockets import endpoint, plain_socket

logger = logging.getLogger("uvicorn.error")

EXTENSION = "tertulia.transport"
# Seconds that the peer has to answer our close before the socket is cut.
CLOSE_SECONDS = 10.0
# Seconds for which a peer that broke the framing may read why: closing at once, with what he
# still sends unread, would reset the connection and take our close frame with it.
LINGER_SECONDS = 1.0
# Seconds that a stopping server waits for the answer to its close.
STOP_SECONDS = 0.5
RESTARTING = '{"retry_after": 1.0}'
# Messages of one peer, or frames of one, that are served before the loop gets a turn.
TURN = 64
_PING = framing.frame(PING)


class Handler(Protocol):
    """What a connection that has left ASGI is told. None of it waits."""

    def text(self, text: str) -> None:
        """A text message has come."""

    def binary(self, data: bytes) -> None:
        """A binary message has come."""

    def alive(self) -> None:
        """A ping or a pong has come."""

    def lost(self) -> None:
        """The connection has ended, by whomever; the last call, and the only one of its kind."""


class WebSocketProtocol(asyncio.Protocol):
    """`uvicorn.run(..., ws="tertulia.server.websocket:WebSocketProtocol")`.

    It is also the extension object; see `tertulia.hub.connection.Transport`.
    """

    __slots__ = (
        "_app_state",
        "_application",
        "_backlog",
        "_closing",
        "_config",
        "_congested",
        "_early",
        "_handler",
        "_held",
        "_open",
        "_pong",
        "_reader",
        "_socket",
        "_state",
        "_timer",
        "clear",
        "left",
        "loop",
        "transport",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._config = config
        self._state = server_state
        self._app_state = app_state
        self.loop = _loop or asyncio.get_event_loop()
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        # Frames may be written: after the upgrade, before any close.
        self._open = False
        # A close frame of ours is on its way.
        self._closing = False
        # Who gets the messages: the application by ASGI, or its handler.
        self._application: Application | None = None
        self._handler: Handler | None = None
        self.left = False
        # None before the handshake, and once the peer has broken the framing or closed.
        self._reader: Reader | None = None
        self._socket: SocketType | None = None
        # The transport holds more than its high-water mark; the pong that waits for its end.
        self._congested = False
        self._pong: bytes | None = None
        # The same while nothing waits in the transport: what is sent here is in order.
        self.clear: SocketType | None = None
        self._timer: TimerHandle | None = None
        # Reading rests: the messages of the last packet that are still to be served, and what
        # came although reading rests.
        self._held = False
        self._backlog: Iterator[Message] | None = None
        self._early = b""

    # The handshake

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._state.connections.add(self)  # type: ignore[arg-type]

    def begin(self, request: handshake.Request, known: dict[str, Any] | None = None) -> None:
        """Answer a handshake. `known`: addresses and scheme, where they are known already."""
        try:
            handshake.check(request)
        except handshake.Refusal as refusal:
            self.answer(
                handshake.response(refusal.status, refusal.headers, refusal.reason.encode())
            )
            return
        self._admission.come(self, request, known)

    def start_application(self, request: handshake.Request, known: dict[str, Any] | None) -> None:
        """It is this handshake's turn, and it has been found good."""
        try:
            scope = handshake.scope_of(request, {**self._known(known), **self._of_server()})
        except UnicodeDecodeError:
            self.answer(handshake.response(400, [], b"The address must be ASCII."))
            self._admission.over(self)
            return
        accept = handshake.check(request)
        scope["extensions"][EXTENSION] = self
        self._application = Application(self, self._config, self._state, scope, accept)
        self._application.start()

    @property
    def _admission(self) -> Admission:
        return admission(self._state, self.loop)

    def _known(self, known: dict[str, Any] | None) -> dict[str, Any]:
        if known is not None:
            return known
        transport = self.transport
        return {
            "server": endpoint(transport, "sockname"),
            "client": endpoint(transport, "peername"),
            "scheme": "wss" if is_ssl(transport) else "ws",
        }

    def _of_server(self) -> dict[str, Any]:
        config = self._config
        return {
            "asgi": {"version": config.asgi_version, "spec_version": "2.4"},
            "root_path": config.root_path,
            "state": self._app_state.copy(),
        }

    def answer(self, response: bytes) -> None:
        """An answer that refuses the handshake, and the end."""
        self.transport.write(response)
        self.transport.close()

    def accept(self, response: bytes) -> None:
        """The upgrade: from here on there are frames."""
        self._reader = Reader(self._config.ws_max_size)
        self._open = True
        if not is_ssl(self.transport):
            self._socket = plain_socket(self.transport)
        # By the transport, which writes at the end of the turn: with what is said first, as one.
        self.clear = None
        self.transport.write(response)
        if self._early:
            self.hold()
            self.release()

    def leave(self, handler: Handler) -> None:
        """Out of ASGI: the handler gets all that comes from here on; the application may return.

        To be called after `websocket.accept`; what has come since then is told at once, be it
        the end of the connection.
        """
        application, self._application = self._application, None
        self.left = True
        if application is None:
            # It has ended since then; nobody else tells of it any more.
            handler.lost()
            return
        self._handler = handler
        application.leave(handler)

    # Reading

    def data_received(self, data: bytes) -> None:
        if self._reader is not None:
            if self._backlog is not None or self._held:
                self._early += data
            else:
                self._serve(self._reader.feed(data))
        elif self._application is not None or self._admission.waits(self):
            # Sent ahead of our answer to the handshake.
            self._early += data
            self.transport.pause_reading()
        elif not self._closing and not self.transport.is_closing():
            self.begin(handshake.parse(data))

    def _serve(self, messages: Iterator[Message]) -> None:
        try:
            for served, (opcode, payload) in enumerate(messages, 1):
                self._take(opcode, payload)
                if self._held or served >= TURN:
                    self._rest(messages)
                    return
        except Violation as violation:
            self._fail(violation)
        except Exception:
            logger.exception("A handler failed; its connection is closed")
            self.close(framing.INTERNAL_ERROR, "")
            # The peer's answer may be among them already.
            self._rest(messages)

    def _take(self, opcode: int, payload: Any) -> None:
        if opcode == CLOSE:
            self._peer_closes(payload)
        elif self._closing or opcode == framing.CONT:
            pass
        elif opcode >= CLOSE:
            if opcode == PING:
                self._answer_ping(payload)
            if self._handler is not None:
                self._handler.alive()
            elif self._application is not None:
                self._application.alive()
        elif self._handler is not None:
            if opcode == framing.TEXT:
                self._handler.text(payload)
            else:
                self._handler.binary(payload)
        elif self._application is not None:
            self._application.received(opcode, payload)

    def _answer_ping(self, payload: bytes) -> None:
        """A pong; for somebody who pings and does not read, only that of his last ping (5.5.3)."""
        if self._congested:
            self._pong = payload
        else:
            self.write(framing.frame(PONG, payload))

    def _rest(self, messages: Iterator[Message]) -> None:
        """Let the loop have a turn, or wait for `release`."""
        self._backlog = messages
        self.transport.pause_reading()
        if not self._held:
            self.loop.call_soon(self._go_on)

    def hold(self) -> None:
        """No more messages until `release`: what came last takes its time."""
        if not self._held:
            self._held = True
            self.transport.pause_reading()

    def release(self) -> None:
        """Messages may come again."""
        if self._held:
            self._held = False
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._held or self._reader is None:
            return
        if self._backlog is not None:
            messages, self._backlog = self._backlog, None
            self._serve(messages)
        if self._early and self._backlog is None and not self._held and self._reader is not None:
            data, self._early = self._early, b""
            self._serve(self._reader.feed(data))
        if self._backlog is None and not self._held and not self.transport.is_closing():
            self.transport.resume_reading()

    # Writing

    def send(self, frames: Frames) -> int:
        """Ready-made frames to the socket. Bytes that wait for a peer who reads too slowly."""
        return self.write(frames.wire) if self._open else 0

    def write(self, data: bytes) -> int:
        """Bytes to the socket, behind all that waits in the transport; how many wait there.

        Straight to the kernel where nothing waits: that costs a fifth less than by way of the
        transport, and lets the other threads run meanwhile.
        """
        if self.clear is None and not self.transport.get_write_buffer_size():
            self.clear = self._socket
        if self.clear is not None:
            try:
                sent = self.clear.send(data)
            except OSError as error:
                return self.unsent(data, error)
            return 0 if sent == len(data) else self.rest(data, sent)
        self.transport.write(data)
        return self.transport.get_write_buffer_size()

    def rest(self, data: bytes, sent: int) -> int:
        """The kernel took only so much of it: the rest waits in the transport."""
        self.clear = None
        self.transport.write(data[sent:])
        return self.transport.get_write_buffer_size()

    def unsent(self, data: bytes, error: OSError) -> int:
        """The kernel took nothing of it."""
        if isinstance(error, BlockingIOError | InterruptedError):
            return self.rest(data, 0)
        # The peer has gone.
        self.clear = None
        self._open = False
        # Where reading rests, the transport would not hear of it.
        self.transport.abort()
        return 0

    def pause_writing(self) -> None:
        self._congested = True
        if self._application is not None:
            self._application.pause_writing()

    def resume_writing(self) -> None:
        self._congested = False
        pong, self._pong = self._pong, None
        if pong is not None and self._open:
            self.write(framing.frame(PONG, pong))
        if self._application is not None:
            self._application.resume_writing()

    def buffered(self) -> int:
        """Bytes that the kernel has not taken."""
        return 0 if self.clear is not None else self.transport.get_write_buffer_size()

    def ping(self, behind: Frames | None = None) -> bool:
        """A ping without payload, with frames behind it in the same write."""
        if self._open:
            self.write(_PING if behind is None else _PING + behind.wire)
        return True

    def start(self) -> None:
        """Nothing waits here: it went to the socket when it was sent."""

    # The end

    def close(self, code: int, reason: str) -> None:
        """Close without waiting for the socket to be writable; cut it if the peer is silent."""
        if not self._open:
            return
        self._say_close(code, reason)
        if self._application is not None:
            self._application.disconnected(code, reason)
        self._timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
        # His answer is to be read, behind what may still come.
        self.release()

    def _say_close(self, code: int, reason: str = "") -> None:
        """The last frame."""
        self._closing = True
        self.write(framing.close_frame(code, reason))
        self._open = False
        self.clear = None

    def _peer_closes(self, payload: bytes) -> None:
        code, reason = framing.read_close(payload)
        self._reader = None
        if not self._closing:
            self._say_close(code)
            self._end(code, reason)
        self._close_transport()

    def _fail(self, violation: Violation) -> None:
        """The peer broke the framing."""
        self._reader = None
        if not self._closing:
            self._say_close(violation.code, violation.reason)
        self._end(violation.code, violation.reason)
        self._stop_timer()
        self._timer = self.loop.call_later(LINGER_SECONDS, self._close_transport)
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _end(self, code: int, reason: str) -> None:
        """Tell the application, once."""
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                handler.lost()
            except Exception:
                logger.exception("A handler failed at the end of its connection")
        application, self._application = self._application, None
        if application is not None:
            application.disconnected(code, reason)

    def _close_transport(self) -> None:
        """The end of the connection, at the latest when the peer has had his time to read."""
        self._stop_timer()
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def returned(self) -> None:
        """The application has returned without having left ASGI: nobody serves the peer."""
        if not self._closing:
            self.close(framing.NORMAL, "") if self._open else self.transport.close()

    def eof_received(self) -> None:
        """The transport closes."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._open = False
        self._closing = True
        self._stop_timer()
        if self._socket is not None:
            # The descriptor is the transport's, which closes it now.
            self._socket.detach()
            self._socket = self.clear = None
        self._reader = None
        self._backlog = None
        self._early = b""
        self._state.connections.discard(self)
        self._admission.forget(self)
        self._end(framing.ABNORMAL, "")

    def shutdown(self) -> None:
        """The server stops: 1012 with the time after which to come back."""
        if self._open:
            self.close(1012, RESTARTING)
            # uvicorn waits for its connections to go; a peer that never answers is cut.
            self.loop.call_later(STOP_SECONDS, self._close_transport)
        elif self._admission.waits(self) or (self._application is not None and not self._closing):
            self._admission.forget(self)
            self.answer(handshake.response(500, [], b"Internal Server Error"))
        else:
            self.transport.close()


__all__ = ["EXTENSION", "Handler", "WebSocketProtocol"]
