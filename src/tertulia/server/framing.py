"""RFC 6455 framing for a server: what a client sent, message by message, and what it is sent.

Between two packets there is next to nothing to remember, as long as messages arrive in one
piece; that is what keeps an idle connection small. The libraries that were tried keep 20 kB a
connection, so the framing is our own. `bin/autobahn` holds it against the whole Autobahn suite.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Iterator

from tertulia.protocol.frames import TEXT, frame

try:
    from websockets.speedups import apply_mask
except ImportError:  # pragma: no cover - a platform without its C extension
    from websockets.utils import apply_mask

CONT, BINARY, CLOSE, PING, PONG = 0x0, 0x2, 0x8, 0x9, 0xA
_OPCODES = frozenset({CONT, TEXT, BINARY, CLOSE, PING, PONG})
# Bytes that a control frame may carry (RFC 6455, 5.5).
CONTROL_BYTES = 125
NORMAL, PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG, INTERNAL_ERROR = 1000, 1002, 1007, 1009, 1011
# What is told of a close without a code, and of a socket that went without a close (7.4.1).
NO_STATUS, ABNORMAL = 1005, 1006
# Codes that a peer may send: those with a meaning, and from 3000 on anybody's (7.4.2).
_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})

_UTF8 = codecs.getincrementaldecoder("utf-8")
_LENGTH16 = struct.Struct("!H")
_LENGTH64 = struct.Struct("!Q")

Message = tuple[int, str | bytes]
_PART: Message = (CONT, b"")


class Violation(Exception):
    """The peer broke the framing: the connection is closed with `code`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Fragments:
    """A message of which the last frame has not come. Text is checked as it comes.

    Kept as its bytes, however many frames they come in: a list of parts of three bytes each would
    take twenty times as much.
    """

    __slots__ = ("_decoder", "_payload", "opcode")

    def __init__(self, opcode: int) -> None:
        self.opcode = opcode
        self._decoder = _UTF8() if opcode == TEXT else None
        self._payload = bytearray()

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return len(self._payload)

    def add(self, payload: bytes, *, final: bool) -> None:
        """One more frame of it."""
        self._payload += payload
        if self._decoder is not None:
            try:
                # Only to refuse it at the first byte that is wrong.
                self._decoder.decode(payload, final)
            except UnicodeDecodeError:
                raise Violation(INVALID_TEXT, "invalid UTF-8") from None

    def message(self) -> Message:
        """All of it."""
        if self._decoder is not None:
            return self.opcode, self._payload.decode()
        return self.opcode, bytes(self._payload)


class Reader:
    """Takes packets and gives messages: `(TEXT, str)`, `(BINARY, bytes)` and, between the frames
    of one, `(CLOSE | PING | PONG, bytes)`. `(CONT, b"")` stands for a frame that completed none, so
    that whoever takes turns after so many counts these too.

    `max_size`: bytes of a message. One that is larger is refused as soon as its header says so.
    """

    __slots__ = ("_fragments", "_held", "_need", "max_size")

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        # The beginning of a frame, and how much of it there must be before it is looked at again.
        self._held: bytearray | None = None
        self._need = 0
        self._fragments: Fragments | None = None

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that a packet completes; then raises `Violation` for one that may not be.

        Must be exhausted before the next packet is fed, unless the connection ends.
        """
        if self._held is not None:
            self._held += data
            if len(self._held) < self._need:
                return
            data, self._held = bytes(self._held), None
        start, size = 0, len(data)
        while start < size:
            header = self._header(data, start, size)
            if header is None:
                self._held = bytearray(memoryview(data)[start:])
                return
            opcode, final, begin, start = header
            payload = apply_mask(memoryview(data)[begin:start], data[begin - 4 : begin])
            if opcode >= CLOSE:
                yield opcode, payload
            elif final and opcode and self._fragments is None:
                yield opcode, (decode(payload) if opcode == TEXT else payload)
            else:
                yield self._join(opcode, payload, final=final)

    def _header(self, data: bytes, start: int, size: int) -> tuple[int, bool, int, int] | None:
        """(opcode, final, where the payload begins, where it ends); None: it is not all there."""
        if size - start < 2:
            self._need = 2
            return None
        first, second = data[start], data[start + 1]
        opcode, length = first & 0x0F, second & 0x7F
        self._check(first, second)
        begin = start + (6 if length < 126 else 8 if length == 126 else 14)
        if size < begin:
            self._need = begin - start
            return None
        if length == 126:
            (length,) = _LENGTH16.unpack_from(data, start + 2)
            minimum = 126
        elif length == 127:
            (length,) = _LENGTH64.unpack_from(data, start + 2)
            minimum = 65_536
        else:
            minimum = 0
        if length < minimum or length >> 63:
            raise Violation(PROTOCOL_ERROR, "a length must be written in as few bytes as it needs")
        if opcode < CLOSE:
            before = 0 if self._fragments is None else self._fragments.size
            if before + length > self.max_size:
                raise Violation(TOO_BIG, f"over {self.max_size} bytes")
        if size < begin + length:
            self._need = begin + length - start
            return None
        return opcode, bool(first & 0x80), begin, begin + length

    def _check(self, first: int, second: int) -> None:
        """What the first two bytes of a frame may not be."""
        opcode = first & 0x0F
        if first & 0x70:
            raise Violation(PROTOCOL_ERROR, "reserved bits are set")
        if opcode not in _OPCODES:
            raise Violation(PROTOCOL_ERROR, "unknown opcode")
        if not second & 0x80:
            raise Violation(PROTOCOL_ERROR, "a client must mask its frames")
        if opcode >= CLOSE:
            if not first & 0x80:
                raise Violation(PROTOCOL_ERROR, "a control frame may not be fragmented")
            if second & 0x7F > CONTROL_BYTES:
                raise Violation(PROTOCOL_ERROR, "a control frame has 125 bytes at most")
        elif (opcode == CONT) == (self._fragments is None):
            raise Violation(PROTOCOL_ERROR, "fragments are out of order")

    def _join(self, opcode: int, payload: bytes, *, final: bool) -> Message:
        if self._fragments is None:
            self._fragments = Fragments(opcode)
        self._fragments.add(payload, final=final)
        if not final:
            return _PART
        message = self._fragments.message()
        self._fragments = None
        return message


def decode(payload: bytes) -> str:
    """A text's payload."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_TEXT, "invalid UTF-8") from None


def read_close(payload: bytes) -> tuple[int, str]:
    """Code and reason of a close frame (5.5.1)."""
    if not payload:
        return NO_STATUS, ""
    if len(payload) == 1:
        raise Violation(PROTOCOL_ERROR, "a close code has two bytes")
    (code,) = _LENGTH16.unpack_from(payload)
    if code not in _CODES and not 3000 <= code < 5000:
        raise Violation(PROTOCOL_ERROR, "this close code may not be sent")
    return code, decode(payload[2:])


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame. A reason that is too long loses its end."""
    if code == NO_STATUS:
        return frame(CLOSE)
    told = reason.encode()[: CONTROL_BYTES - 2].decode(errors="ignore").encode()
    return frame(CLOSE, _LENGTH16.pack(code) + told)
