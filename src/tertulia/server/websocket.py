"""A uvicorn WebSocket class that offers the application its socket.

It adds `tertulia.transport` to the scope's extensions. What is written there is a ready-made
frame that goes straight to the socket: no coroutine, no queue and no framing a recipient.
Everything else is uvicorn's own sans-I/O implementation, so the application works the same
under any other ASGI server, which does not offer the extension.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from tertulia.protocol.frames import Frames

EXTENSION = "tertulia.transport"
# Seconds that the peer has to answer our close before the socket is cut.
CLOSE_SECONDS = 10.0
# Seconds for which a peer that broke the framing may read why: closing at once, with what he
# still sends unread, would reset the connection and take our close frame with it.
LINGER_SECONDS = 1.0
RESTARTING = '{"retry_after": 1.0}'
_PING = b"\x89\x00"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """`uvicorn.run(..., ws="tertulia.server.websocket:WebSocketProtocol")`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._congested = False
        self._failed = False
        # Called at every pong, the sign of life that ASGI does not show.
        self.on_pong: Callable[[], None] | None = None

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = DirectTransport(self)

    def data_received(self, data: bytes) -> None:
        if not self._failed:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        self._failed = True
        close = self.conn.close_sent
        assert close is not None
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
        )
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def send_receive_event_to_app(self) -> None:
        # Invalid UTF-8 is the peer's mistake: told by 1007, not logged with a traceback.
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                text = b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
            self.frames = []
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
            if not self.read_paused:
                self.read_paused = True
                self.transport.pause_reading()
            return
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            # A refusal with a status of its own ends the handshake too; uvicorn would log that
            # it was never ended, a line for each of those who are refused.
            self.handshake_complete = True

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        if self.on_pong is not None:
            self.on_pong()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._congested = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self._congested = False

    @property
    def open(self) -> bool:
        """Whether frames may be written: after the upgrade, before any close."""
        return (
            self.handshake_complete
            and not self.close_sent
            and not self.disconnected
            and not self.transport.is_closing()
        )

    def write(self, data: bytes) -> None:
        """Ready-made frames to the socket."""
        if self.open:
            self.transport.write(data)

    def buffered(self) -> int:
        """Bytes that the socket has not taken; 0 below the transport's high-water mark."""
        return self.transport.get_write_buffer_size() if self._congested else 0

    def finish(self, code: int, reason: str) -> None:
        """Close without waiting for the socket to be writable; cut it if the peer is silent."""
        if not self.open:
            return
        self.stop_keepalive()
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops: 1012 with the time after which to come back."""
        if self.open:
            self.finish(1012, RESTARTING)
            # uvicorn waits for its connections to go; a peer that never answers is cut.
            self.loop.call_later(0.5, self.transport.close)
            return
        super().shutdown()


class DirectTransport:
    """The extension object: what the hub writes to. See `tertulia.hub.connection.Transport`."""

    __slots__ = ("_protocol", "buffered")

    def __init__(self, protocol: WebSocketProtocol) -> None:
        self._protocol = protocol
        self.buffered = protocol.buffered

    def send(self, frames: Frames) -> None:
        self._protocol.write(frames.wire)

    def ping(self) -> bool:
        protocol = self._protocol
        protocol.write(_PING)
        return True

    def start(self) -> None:
        """Nothing waits here: it went to the socket when it was sent."""

    def watch(self, on_pong: Callable[[], None]) -> None:
        """Tell of every pong."""
        self._protocol.on_pong = on_pong

    def close(self, code: int, reason: str) -> None:
        self._protocol.finish(code, reason)


__all__ = ["EXTENSION", "DirectTransport", "WebSocketProtocol"]
