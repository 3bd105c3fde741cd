"""A WebSocket client on a bare TCP socket, which can break every rule of RFC 6455.

It shares no code with the server: frames are put together and taken apart here, and every frame
of the server's is checked for what a server may send.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
# Seconds; only a test that fails waits so long.
PATIENCE = 20.0
_KEY = bytes.fromhex("a1b2c3d4")


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    final: bool = True

    @property
    def code(self) -> int | None:
        """The code of a close frame; None where it has none."""
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None


def masked(payload: bytes, key: bytes = _KEY) -> bytes:
    return bytes(byte ^ key[place % 4] for place, byte in enumerate(payload))


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    key: bytes | None = _KEY,
    length: bytes | None = None,
) -> bytes:
    """A client's frame.

    `key` None leaves it unmasked; `reserved` are the three bits as a number; `length` is the
    length's encoding (7 bits in a byte, and what follows), where it shall not be the right one.
    """
    head = bytearray([(0x80 if final else 0) | reserved << 4 | opcode])
    head += _length(len(payload)) if length is None else length
    if key is None:
        return bytes(head) + payload
    head[1] |= 0x80
    return bytes(head) + key + masked(payload, key)


def _length(size: int) -> bytes:
    if size < 126:
        return bytes([size])
    if size < 65_536:
        return struct.pack("!BH", 126, size)
    return struct.pack("!BQ", 127, size)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class Peer:
    """One connection after its handshake. `headers`: lines of the request besides the usual.

    `head`: the server's answer to it. `port`: our end's. `window`: bytes that the kernel takes in
    while we do not read; its own choice where none is given.
    """

    def __init__(self, port: int, path: str, *headers: str, window: int = 0) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE)
        if window:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._socket.connect(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        more = "".join(f"{line}\r\n" for line in headers)
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"{more}\r\n".encode()
        )
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            head += self._read(1)
        assert head.startswith(b"HTTP/1.1 101 "), bytes(head)
        # RFC 6455, 1.3 has the answer to this key.
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
        self.head = bytes(head)

    def send(self, *frames: bytes) -> None:
        """All in one write."""
        self._socket.sendall(b"".join(frames))

    def send_without_reading(self, chunk: bytes, times: int) -> int:
        """Bytes that were taken off us: all, or less when the server has stopped reading."""
        sent = 0
        self._socket.settimeout(1.0)
        try:
            for _ in range(times):
                taken = 0
                while taken < len(chunk):
                    taken += self._socket.send(chunk[taken:])
                sent += taken
        except (TimeoutError, ConnectionError):
            pass
        self._socket.settimeout(PATIENCE)
        return sent

    def waiting(self) -> int:
        """Bytes that come until the server ends the connection; they are not looked at."""
        size = 0
        while data := self._socket.recv(1 << 20):
            size += len(data)
        return size

    def receive(self) -> Frame:
        """The next frame. EOFError where the connection has ended instead."""
        first, second = self._read(2)
        assert not first & 0x70, "a server that has agreed on no extension sets no reserved bit"
        assert not second & 0x80, "a server does not mask (RFC 6455, 5.1)"
        size = second
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
            assert size > 125, "the length is not the shortest (RFC 6455, 5.2)"
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
            assert size > 65_535, "the length is not the shortest (RFC 6455, 5.2)"
        return Frame(first & 0x0F, bytes(self._read(size)), bool(first & 0x80))

    def message(self) -> Frame:
        """The next data message, its fragments joined; pongs on the way are left out."""
        parts = [self._data()]
        while not parts[-1].final:
            parts.append(self._data())
        return Frame(parts[0].opcode, b"".join(part.payload for part in parts))

    def _data(self) -> Frame:
        while (received := self.receive()).opcode == PONG:
            pass
        assert received.opcode in (CONTINUATION, TEXT, BINARY), received
        return received

    def closed(self) -> tuple[list[Frame], Frame]:
        """What came before the server's close frame, and that frame; nothing may come after it.

        The answer to it is the end of our side of the connection.
        """
        before = []
        while (received := self.receive()).opcode != CLOSE:
            before.append(received)
        self.end()
        self.ended()
        return before, received

    def end(self) -> None:
        """No more will come from us."""
        self._socket.shutdown(socket.SHUT_WR)

    def ended(self) -> None:
        """The server ends the connection, without another byte."""
        assert self._receive_some() == b"", bytes(self._received)

    def cut(self) -> None:
        """Be gone, without a word."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def leave(self) -> None:
        self._socket.close()

    def _read(self, size: int) -> bytearray:
        while len(self._received) < size:
            if not self._receive_some():
                raise EOFError(f"the server ended the connection before {size} bytes")
        taken = self._received[:size]
        del self._received[:size]
        return taken

    def _receive_some(self) -> bytes:
        data = self._socket.recv(65_536)
        self._received += data
        return data
