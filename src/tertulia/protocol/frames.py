"""Ready-made WebSocket frames: unmasked, one is right for all (RFC 6455, 5.2)."""

from __future__ import annotations

import struct

TEXT = 0x1


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """One final, unmasked frame; the payload of a text is UTF-8."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


class Frames:
    """Some payloads for many recipients, joined into one write for each.

    `wire`: all payloads as frames, for a transport that takes bytes.
    """

    __slots__ = ("_texts", "payloads", "wire")

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = payloads
        self.wire = b"".join([frame(TEXT, payload) for payload in payloads])
        self._texts: list[str] | None = None

    @property
    def texts(self) -> list[str]:
        """All payloads as text, for a transport that frames by itself; made once."""
        if self._texts is None:
            self._texts = [payload.decode() for payload in self.payloads]
        return self._texts

    def __len__(self) -> int:
        return len(self.payloads)
