"""A WebSocket by hand, for clients that have to be lean, or to misbehave."""

from __future__ import annotations

import base64
import os
import struct

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def upgrade(host: str, token: str, *, protocols: str = "") -> bytes:
    """The request that opens the site's socket; `protocols` are subprotocols, as in the header."""
    key = base64.b64encode(os.urandom(16)).decode()
    asked = f"Sec-WebSocket-Protocol: {protocols}\r\n" if protocols else ""
    return (
        f"GET /ws/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{asked}"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def masked(opcode: int, payload: bytes) -> bytes:
    """One frame of a client, below 64 KiB; a mask of zeros leaves the bytes as they are."""
    size = len(payload)
    length = bytes([128 | size]) if size < 126 else struct.pack("!BH", 128 | 126, size)
    return bytes([128 | opcode]) + length + bytes(4) + payload


def first_frame(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """Opcode and payload of the first frame of a server, and what is behind it; None where it is
    not whole. Servers send neither masks nor fragments."""
    if len(buffer) < 2:
        return None
    length, start = buffer[1], 2
    if length == 126 and len(buffer) >= 4:
        (length,), start = struct.unpack_from("!H", buffer, 2), 4
    elif length == 127 and len(buffer) >= 10:
        (length,), start = struct.unpack_from("!Q", buffer, 2), 10
    elif length >= 126:
        return None
    if len(buffer) < start + length:
        return None
    return buffer[0] & 15, buffer[start : start + length], buffer[start + length :]
