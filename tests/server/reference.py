"""RFC 6455 for a server, read slowly: a byte at a time, with nothing remembered but what came.

Written from the RFC; it shares no code with the server, and the fuzzer holds the two together.
"""

from __future__ import annotations

from .rawpeer import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT

CONTROLS = (CLOSE, PING, PONG)
Read = list[tuple[int, str | bytes]]


class Wrong(Exception):
    """The connection is failed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Incomplete(Exception):
    """The bytes end within a frame."""


def read(data: bytes, max_size: int) -> tuple[Read, int | None]:
    """All messages in these bytes, and the code of the violation behind them, if there is one."""
    messages: Read = []
    reading = _Reading(data, max_size, messages)
    try:
        while True:
            reading.frame()
    except Incomplete:
        return messages, None
    except Wrong as wrong:
        return messages, wrong.code


class _Reading:
    def __init__(self, data: bytes, max_size: int, messages: Read) -> None:
        self.data = data
        self.place = 0
        self.max_size = max_size
        self.messages = messages
        # The message in fragments: its opcode, and what came of it.
        self.opcode: int | None = None
        self.begun = b""

    def take(self, size: int) -> bytes:
        if self.place + size > len(self.data):
            raise Incomplete
        self.place += size
        return self.data[self.place - size : self.place]

    def frame(self) -> None:
        first, second = self.take(2)
        final, opcode = first >= 128, first % 16
        self.check_opcode(first, opcode)
        if second < 128:
            raise Wrong(1002)
        self.check_kind(final, opcode, second - 128)
        payload = self.payload(opcode, second - 128)
        if opcode in CONTROLS:
            self.messages.append((opcode, payload))
            return
        if opcode != CONTINUATION:
            self.opcode = opcode
        self.begun += payload
        text = self.text(final) if self.opcode == TEXT else None
        if final:
            assert self.opcode is not None
            self.messages.append((self.opcode, self.begun if text is None else text))
            self.opcode, self.begun = None, b""

    def check_opcode(self, first: int, opcode: int) -> None:
        if first // 16 % 8:
            raise Wrong(1002)
        if opcode not in (CONTINUATION, TEXT, BINARY, *CONTROLS):
            raise Wrong(1002)

    def check_kind(self, final: bool, opcode: int, length: int) -> None:
        if opcode in CONTROLS:
            if not final or length > 125:
                raise Wrong(1002)
        elif (opcode == CONTINUATION) != (self.opcode is not None):
            raise Wrong(1002)

    def payload(self, opcode: int, length: int) -> bytes:
        form, least = length, 0
        if form == 126:
            length, least = int.from_bytes(self.take(2)), 126
        elif form == 127:
            length, least = int.from_bytes(self.take(8)), 65_536
        key = self.take(4)
        if length < least or length >= 2**63:
            raise Wrong(1002)
        if opcode not in CONTROLS and len(self.begun) + length > self.max_size:
            raise Wrong(1009)
        masked = self.take(length)
        return bytes(byte ^ key[place % 4] for place, byte in enumerate(masked))

    def text(self, final: bool) -> str:
        """What came so far, as far as it is text; at its end a part of a character may stand."""
        for rest in range(1 if final else 4):
            end = len(self.begun) - rest
            try:
                text = self.begun[:end].decode()
            except UnicodeDecodeError:
                continue
            if not rest or _may_become_a_character(self.begun[end:]):
                return text
        raise Wrong(1007)


def _may_become_a_character(rest: bytes) -> bool:
    """Whether some bytes behind these would make them a character (RFC 3629)."""
    ends = [b"\x80" * count for count in range(1, 4)] + [b"\xbf" * count for count in range(1, 4)]
    return any(_is_a_character(rest + end) for end in ends)


def _is_a_character(data: bytes) -> bool:
    """Surrogates too: that they are none may be said of their second byte or of their third."""
    try:
        return len(data.decode(errors="surrogatepass")) == 1
    except UnicodeDecodeError:
        return False
