"""Ready-made WebSocket text frames: unmasked, one is right for all (RFC 6455, 5.2)."""

from __future__ import annotations

import struct

_TEXT = b"\x81"


def text_frame(payload: bytes) -> bytes:
    """One final text frame around `payload`, which is UTF-8."""
    size = len(payload)
    if size < 126:
        return _TEXT + bytes((size,)) + payload
    if size < 65_536:
        return _TEXT + struct.pack("!BH", 126, size) + payload
    return _TEXT + struct.pack("!BQ", 127, size) + payload


class Frames:
    """Some payloads for many recipients, joined into one write for each.

    `wire`: all payloads as frames, for a transport that takes bytes.
    """

    __slots__ = ("_texts", "payloads", "wire")

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = payloads
        self.wire = b"".join(map(text_frame, payloads))
        self._texts: list[str] | None = None

    @property
    def texts(self) -> list[str]:
        """All payloads as text, for a transport that frames by itself; made once."""
        if self._texts is None:
            self._texts = [payload.decode() for payload in self.payloads]
        return self._texts

    def __len__(self) -> int:
        return len(self.payloads)
