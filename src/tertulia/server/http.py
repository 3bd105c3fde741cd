"""uvicorn's HTTP class with a deadline for the header, and an upgrade without a second parsing."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import is_ssl

from .handshake import Request
from .websocket import WebSocketProtocol, address_of

# Seconds in which the header of a request must have come, from its first byte on and from the
# opening of the connection. Nobody honest needs them; who sends a byte now and then holds a file.
HEADER_SECONDS = 10.0
PATIENCE_SECONDS = 0.5


class HttpProtocol(HttpToolsProtocol):
    """`uvicorn.run(..., http="tertulia.server.http:HttpProtocol")`."""

    _deadline: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        self.server = address_of(transport, "sockname")
        self.client = address_of(transport, "peername")
        self.scheme = "https" if is_ssl(transport) else "http"
        self._expect_header()

    def connection_lost(self, exc: Exception | None) -> None:
        self._header_came()
        super().connection_lost(exc)

    def _expect_header(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def _header_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        # The loop tells the time before it reads: after a busy while the header may be in the
        # kernel. So it gets another turn.
        self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._cut)

    def _cut(self) -> None:
        self._deadline = None
        self.logger.info("A request's header did not come in %.0f s", HEADER_SECONDS)
        self.transport.abort()

    # Called by the parser

    def on_message_begin(self) -> None:
        self._expect_header()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._header_came()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self._upgrade(data[upgrade.args[0] :])
            else:
                self._unsupported_upgrade_warning()
        except httptools.HttpParserError:
            message = "Invalid HTTP request received."
            self.logger.warning(message)
            self.send_400_response(message)

    def _upgrade(self, rest: bytes) -> None:
        """Hand the connection on. `rest`: what came behind the request."""
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
        self.parser = None  # type: ignore[assignment]
        self.flow = None  # type: ignore[assignment]
