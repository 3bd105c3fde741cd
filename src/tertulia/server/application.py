"""The ASGI side of a connection: for its handshake, or for all its life if it does not leave."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState

from . import framing, handshake
from .admission import admission

if TYPE_CHECKING:
    from .websocket import Handler, WebSocketProtocol

logger = logging.getLogger("uvicorn.error")

_RESPONSE = "websocket.http.response"


class Application:
    """One call of the ASGI application, with its `receive` and `send`."""

    def __init__(
        self,
        protocol: WebSocketProtocol,
        config: Config,
        state: ServerState,
        scope: dict[str, Any],
        accept: str,
    ) -> None:
        self._protocol = protocol
        self._config = config
        self._state = state
        self._admission = admission(state, protocol.loop)
        self._scope = scope
        self._accept = accept
        self._inbox: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self._arrival: asyncio.Future[None] | None = None
        self._writable: asyncio.Event | None = None
        # The handshake has been answered; the peer has gone or is told to go; out of ASGI.
        self._answered = False
        self._gone = False
        self._left = False
        self._response: tuple[int, list[tuple[bytes, bytes]], list[bytes]] | None = None
        self._keepalive: asyncio.TimerHandle | None = None
        self._silent = False

    def start(self) -> None:
        """Call the application."""
        task = self._protocol.loop.create_task(self._run())
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    async def _run(self) -> None:
        protocol = self._protocol
        try:
            # As it is wrapped by uvicorn: with its middleware, or under a test's.
            await self._config.loaded_app(self._scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            logger.exception("Exception in ASGI application\n")
            self._refuse_late()
            if self._left:
                protocol.close(framing.INTERNAL_ERROR, "")
        else:
            if not self._answered:
                logger.error("ASGI callable returned without completing handshake.")
                self._refuse_late()
        finally:
            self._stop_keepalive()
            self._admission.over(protocol)
            if not self._left:
                protocol.returned()

    def _refuse_late(self) -> None:
        if not self._answered and not self._gone:
            self._answer(handshake.response(500, [], b"Internal Server Error"))

    # What comes

    async def receive(self) -> dict[str, Any]:
        """ASGI's `receive`; one message waits at most, then the peer."""
        while not self._inbox:
            self._arrival = self._protocol.loop.create_future()
            await self._arrival
        message = self._inbox.popleft()
        if not self._inbox:
            self._protocol.release()
        return message

    def _put(self, message: dict[str, Any]) -> None:
        self._inbox.append(message)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def received(self, opcode: int, payload: Any) -> None:
        """A message of the peer."""
        self._silent = False
        if self._gone:
            return
        kind = "text" if opcode == framing.TEXT else "bytes"
        self._put({"type": "websocket.receive", kind: payload})
        self._protocol.hold()

    def alive(self) -> None:
        """A ping or a pong."""
        self._silent = False

    def disconnected(self, code: int, reason: str) -> None:
        """The connection ends, by whomever."""
        if not self._gone:
            self._gone = True
            self._put({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.resume_writing()

    def leave(self, handler: Handler) -> None:
        """The handler takes over, and hears first what waits here.

        Not of a close: its end is still to come, and the connection tells of that.
        """
        self._left = True
        self._stop_keepalive()
        # First: a message that is handed on may hold again, and that is to last.
        self._protocol.release()
        # Whoever keeps the scope does not keep what is in it.
        while self._inbox:
            message = self._inbox.popleft()
            if message.get("text") is not None:
                handler.text(message["text"])
            elif message["type"] == "websocket.receive":
                handler.binary(message["bytes"])

    # What goes

    def pause_writing(self) -> None:
        """The peer reads too slowly: `send` waits."""
        if self._writable is None:
            self._writable = asyncio.Event()
        self._writable.clear()

    def resume_writing(self) -> None:
        """`send` goes on."""
        if self._writable is not None:
            self._writable.set()

    async def send(self, message: Any) -> None:
        """ASGI's `send`."""
        if self._writable is not None:
            await self._writable.wait()
        kind = message["type"]
        if self._response is not None and kind == f"{_RESPONSE}.body":
            self._respond(message)
        elif self._gone:
            raise ClientDisconnected
        elif self._answered:
            self._send_open(kind, message)
        elif kind == "websocket.accept":
            self._accept_with(message)
        elif kind == "websocket.close":
            self._log(403)
            self._answer(handshake.response(403, [], b""))
            self.disconnected(framing.ABNORMAL, "")
        elif kind == f"{_RESPONSE}.start":
            self._log(message["status"])
            self._response = (message["status"], list(message.get("headers", [])), [])
        else:
            raise RuntimeError(f"{kind!r} cannot be sent before 'websocket.accept'.")

    def _accept_with(self, message: Any) -> None:
        headers = [*self._state.default_headers, *message.get("headers", [])]
        response = handshake.accepted(self._accept, headers, message.get("subprotocol"))
        self._answered = True
        self._log("accepted")
        self._protocol.accept(response)
        # Whoever stays in ASGI has no further need of his place.
        self._admission.over(self._protocol)
        self._keep_alive()

    def _send_open(self, kind: str, message: Any) -> None:
        if kind == "websocket.send":
            text, data = message.get("text"), message.get("bytes")
            if data is not None:
                self._protocol.write(framing.frame(framing.BINARY, data))
            elif text is not None:
                self._protocol.write(framing.frame(framing.TEXT, text.encode()))
        elif kind == "websocket.close":
            self._protocol.close(message.get("code", 1000), message.get("reason") or "")
        else:
            raise RuntimeError(f"{kind!r} cannot be sent after 'websocket.accept'.")

    def _respond(self, message: Any) -> None:
        assert self._response is not None
        status, headers, body = self._response
        body.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._response = None
            if not self._gone:
                self._answer(handshake.response(status, headers, b"".join(body)))
                self.disconnected(framing.ABNORMAL, "")

    def _answer(self, response: bytes) -> None:
        self._answered = True
        self._protocol.answer(response)

    def _log(self, outcome: object) -> None:
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s - WebSocket %s [%s]", self._scope["client"], self._scope["path"], outcome
            )

    # Pings, for those who stay in ASGI: uvicorn's `ws_ping_interval` and `ws_ping_timeout`

    def _keep_alive(self) -> None:
        interval = self._config.ws_ping_interval
        if interval:
            self._keepalive = self._protocol.loop.call_later(interval, self._ping)

    def _ping(self) -> None:
        timeout = self._config.ws_ping_timeout
        self._silent = True
        self._protocol.ping()
        if timeout:
            self._keepalive = self._protocol.loop.call_later(timeout, self._judge)
        else:
            self._keep_alive()

    def _judge(self) -> None:
        if self._silent:
            self._protocol.close(framing.INTERNAL_ERROR, "keepalive ping timeout")
        else:
            self._keep_alive()

    def _stop_keepalive(self) -> None:
        if self._keepalive is not None:
            self._keepalive.cancel()
            self._keepalive = None
