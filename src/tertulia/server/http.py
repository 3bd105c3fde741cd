"""uvicorn's HTTP class with bounds on what requests and unread answers may take, and an upgrade
without a second parsing."""

from __future__ import annotations

import asyncio
import logging
from asyncio import TimerHandle
from typing import Any, cast
from weakref import WeakKeyDictionary

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from .handshake import Request
from .sockets import endpoint
from .websocket import WebSocketProtocol

logger = logging.getLogger("uvicorn.error")

# Seconds in which the header of a request must have come, from its first byte on and from the
# opening of the connection. Nobody honest needs them; who sends a byte now and then holds a file.
HEADER_SECONDS = 10.0
PATIENCE_SECONDS = 0.5
# Bytes and fields of a request's header, with the trailers of its body. Browsers and proxies stay
# far below: nginx takes 32 KiB, Apache 100 fields.
HEADER_BYTES = 64 * 1024
HEADER_FIELDS = 100
# What `name: value` has besides its name and value, with the end of the line.
_FIELD_EXTRA = 4
# Seconds that a body may pause between two packets, while it is read.
BODY_SECONDS = 30.0
# Seconds in which a peer must have taken something of what is written to him, as with nginx.
WRITE_SECONDS = 60.0
# Requests of one peer that may wait behind the one that is answered. Each takes some 10 kB, and a
# packet holds thousands; no browser and no proxy sends a second one before its answer.
WAITING_REQUESTS = 64


class Flow(FlowControl):
    """uvicorn's, which also knows since when it has been reading."""

    resumed = 0.0

    def resume_reading(self) -> None:
        """Deadlines count from here."""
        if self.read_paused:
            self.resumed = asyncio.get_running_loop().time()
        super().resume_reading()


class HttpProtocol(asyncio.Protocol):
    """`uvicorn.run(..., http="tertulia.server.http:HttpProtocol")`.

    A connection that has said nothing yet: a parser and all that goes with it is made for its
    first bytes. The loop accepts thousands before it reads of one, and 5 kB each would be
    between the transports, which stay.
    """

    __slots__ = ("_app_state", "_config", "_loop", "_state", "opened", "overdue", "transport")

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
        self._loop = _loop or asyncio.get_event_loop()
        # When the connection was opened, in the loop's time; it was found to be too slow.
        self.opened = 0.0
        self.overdue = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._state.connections.add(self)  # type: ignore[arg-type]
        self.opened = self._loop.time()
        silent = _silent.get(self._state)
        if silent is None:
            silent = _silent[self._state] = Silent(self._loop)
        silent.add(self)

    def data_received(self, data: bytes) -> None:
        self._end()
        requests = Requests(self._config, self._state, self._app_state, self._loop)
        self.transport.set_protocol(requests)
        requests.connection_made(self.transport)
        requests.expect_header(self.opened)
        requests.data_received(data)

    def _end(self) -> None:
        _silent[self._state].discard(self)
        self._state.connections.discard(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def shutdown(self) -> None:
        """The server stops."""
        self.transport.close()


class Silent:
    """The connections of a server that have said nothing yet, with one timer for all."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._all: set[HttpProtocol] = set()
        self._timer: TimerHandle | None = None

    def add(self, protocol: HttpProtocol) -> None:
        """One more, which has `HEADER_SECONDS` from its opening on."""
        self._all.add(protocol)
        if self._timer is None:
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._look)

    def discard(self, protocol: HttpProtocol) -> None:
        """It has spoken, or gone."""
        self._all.discard(protocol)
        if not self._all:
            # An emptied set keeps its room for all that were in it.
            self._all = set()

    def _look(self) -> None:
        """As `Requests` does, each gets another turn: its first bytes may be in the kernel."""
        self._timer = None
        latest = self._loop.time() - HEADER_SECONDS
        for protocol in list(self._all):
            if protocol.overdue:
                logger.info("Nothing came over a connection for %.0f s", HEADER_SECONDS)
                protocol.transport.abort()
            else:
                protocol.overdue = protocol.opened <= latest
        if self._all:
            self._timer = self._loop.call_later(PATIENCE_SECONDS, self._look)


_silent: WeakKeyDictionary[ServerState, Silent] = WeakKeyDictionary()


class Requests(HttpToolsProtocol):
    """The requests of a connection, one after the other, or its upgrade."""

    flow: Flow
    _deadline: TimerHandle | None = None
    # When the header that has a deadline was begun to be waited for.
    _awaited = 0.0
    # A body is to come, when the last packet of one came, and the one timer that looks.
    _in_body = False
    _last_byte = 0.0
    _body_timer: TimerHandle | None = None
    # Of the header: bytes and fields that the parser has told of, and the bytes of packets that
    # made it tell nothing: those of a field, or of a line between two chunks, without an end.
    _told = 0
    _fields = 0
    _untold = 0
    # What is being answered; `cycle` is the last of those that wait behind it.
    _answering: RequestResponseCycle | None = None
    # What waited for the peer when it was looked at last; whether he has taken some of it since
    # then; and the one timer that looks.
    _unwritten = 0
    _taken = False
    _write_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.connections.add(self)
        self.transport = transport
        self.flow = Flow(transport)
        self.server = endpoint(transport, "sockname")
        self.client = endpoint(transport, "peername")
        self.scheme = "https" if is_ssl(transport) else "http"

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_came()
        self._stop_body_timer()
        self._stop_write_timer()
        self._forsake()
        super().connection_lost(exc)

    # Deadlines

    def expect_header(self, since: float | None = None) -> None:
        """It has to come in time. `since`: from when on, if not from now on."""
        if self._deadline is None:
            self._awaited = self.loop.time() if since is None else since
            self._deadline = self.loop.call_at(self._awaited + HEADER_SECONDS, self._too_slow)

    def _header_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _left_of(self, seconds: float, since: float) -> float:
        """Seconds until the deadline; it rests while we do not read."""
        if self.flow.read_paused:
            return seconds
        return max(since, self.flow.resumed) + seconds - self.loop.time()

    def _too_slow(self) -> None:
        left = self._left_of(HEADER_SECONDS, self._awaited)
        if left > 0:
            self._deadline = self.loop.call_later(left, self._too_slow)
            return
        # The loop tells the time before it reads: after a busy while the header may be in the
        # kernel. So it gets another turn.
        self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._cut)

    def _cut(self) -> None:
        self._deadline = None
        self.logger.info("A request's header did not come in %.0f s", HEADER_SECONDS)
        self._abort()

    def _watch_body(self) -> None:
        """Once for a body, or for several: each packet only stores its time."""
        self._last_byte = self.loop.time()
        if self._body_timer is None:
            self._look_again(BODY_SECONDS)

    def _look_again(self, seconds: float, *, last: bool = False) -> None:
        self._body_timer = self.loop.call_later(seconds, self._look_for_body, last)

    def _look_for_body(self, last: bool) -> None:
        self._body_timer = None
        if not self._in_body or self.transport.is_closing():
            return
        left = self._left_of(BODY_SECONDS, self._last_byte)
        if left > 0:
            self._look_again(left)
        elif not last:
            # As for a header: some of it may be in the kernel.
            self._look_again(PATIENCE_SECONDS, last=True)
        else:
            self.logger.info("Nothing of a request's body came for %.0f s", BODY_SECONDS)
            self._abort()

    def _stop_body_timer(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    # Answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        self._taken = True
        super().resume_writing()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # It may be with the transport, which waits for ever, be it closed or not.
        self._watch_writing()

    def _watch_writing(self) -> None:
        if self._write_timer is None and (waiting := self.transport.get_write_buffer_size()):
            self._unwritten, self._taken = waiting, False
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self._look_for_reader)

    def _look_for_reader(self) -> None:
        self._write_timer = None
        if self._taken or self.transport.get_write_buffer_size() < self._unwritten:
            self._watch_writing()
            return
        self.logger.info("Nobody took anything of an answer for %.0f s", WRITE_SECONDS)
        self._abort()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    # Called by the parser

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= WAITING_REQUESTS:
            # Only to stop the parser; `data_received` refuses.
            raise ValueError("too many requests wait")
        self._told = self._fields = self._untold = 0
        self.expect_header()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._tell(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._tell(len(name) + len(value) + _FIELD_EXTRA)
        super().on_header(name, value)

    def _tell(self, size: int) -> None:
        self._told += size
        self._untold = 0
        if self._is_too_large():
            # Only to stop the parser; `data_received` answers.
            raise ValueError("the header is too large")

    def _is_too_large(self) -> bool:
        return (
            self._told > HEADER_BYTES or self._fields > HEADER_FIELDS or self._untold > HEADER_BYTES
        )

    def on_headers_complete(self) -> None:
        self._header_came()
        self._untold = 0
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        # Before: the parser sets it to 0 wherever it tells of something.
        self._untold += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._untold = 0
            if self._should_upgrade():
                if self._may_be_told():
                    self._upgrade(data[upgrade.args[0] :])
                else:
                    self._hang_up()
                return
            self._unsupported_upgrade_warning()
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._in_body:
            self._watch_body()
        elif self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            # Something without meaning, such as an empty line, has ended uvicorn's keep-alive.
            self.expect_header()
        if self._untold > HEADER_BYTES:
            self._refuse()

    def _refuse(self) -> None:
        """Answer what is no request, too large a one or one too many, and end the connection."""
        told = self._may_be_told()
        if self._is_too_large():
            self.logger.info("A request's header is too large")
            if told:
                line = STATUS_LINE[431]
                self.transport.write(line + b"content-length: 0\r\nconnection: close\r\n\r\n")
        elif len(self.pipeline) >= WAITING_REQUESTS:
            self.logger.info("Too many requests of one peer wait")
        else:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            if told:
                self.send_400_response(message)
        self._hang_up()

    def _hang_up(self) -> None:
        self._forsake()
        self.transport.close()
        self._watch_writing()

    def _may_be_told(self) -> bool:
        """Whether an answer would be taken for one to what is refused, and not for that to a
        request before it, or for a part of that."""
        cycle = self._answering
        if cycle is None or cycle.response_complete:
            return True
        return cycle is self.cycle and cycle.more_body and not cycle.response_started

    def _abort(self) -> None:
        self._forsake()
        self.transport.abort()

    def _forsake(self) -> None:
        """Whoever is answering may not write any more: what he writes is passed over."""
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
            self.flow.resume_writing()

    def _upgrade(self, rest: bytes) -> None:
        """Hand the connection on. `rest`: what came behind the request."""
        self._stop_body_timer()
        self._stop_write_timer()
        if not isinstance(self.ws_protocol_class, type) or not issubclass(
            self.ws_protocol_class, WebSocketProtocol
        ):
            self.handle_websocket_upgrade()
            return
        known: dict[str, Any] = {
            "server": self.server,
            "client": self.client,
            "scheme": "wss" if self.scheme == "https" else "ws",
        }
        request = Request(self.scope["method"].encode("ascii"), self.url, self.headers)
        self.connections.discard(self)
        protocol = self.ws_protocol_class(self.config, self.server_state, self.app_state, self.loop)
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        protocol.begin(request, known)
        if rest:
            protocol.data_received(rest)
        # A circle of references would keep all this until the collector comes by.
        self._answering = None
        self.parser = None  # type: ignore[assignment]
        self.flow = None  # type: ignore[assignment]
