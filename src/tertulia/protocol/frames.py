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

    Both forms are made once, when the first recipient of their kind asks.
    """

    __slots__ = ("_texts", "_wire", "payloads")

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = payloads
        self._wire: bytes | None = None
        self._texts: list[str] | None = None

    @property
    def wire(self) -> bytes:
        """All payloads as frames, for a transport that takes bytes."""
        if self._wire is None:
            self._wire = b"".join(map(text_frame, self.payloads))
        return self._wire

    @property
    def texts(self) -> list[str]:
        """All payloads as text, for a transport that frames by itself."""
        if self._texts is None:
            self._texts = [payload.decode() for payload in self.payloads]
        return self._texts

    def __len__(self) -> int:
        return len(self.payloads)
