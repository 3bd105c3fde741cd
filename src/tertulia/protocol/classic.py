"""Protocol 1 to what a client of the Channels tutorial understands."""

from __future__ import annotations

import msgspec

from .codec import encode
from .events import ClassicMessage


class _Author(msgspec.Struct):
    name: str


class _Message(msgspec.Struct):
    author: _Author
    text: str
    sent_at: str
    deleted: bool


class _Created(msgspec.Struct):
    room: str
    seq: int
    message: _Message


_decoder = msgspec.json.Decoder(_Created)


def classic_payload(event: bytes) -> bytes | None:
    """An encoded `message.created` as a classic frame; None for a message deleted since."""
    created = _decoder.decode(event)
    message = created.message
    if message.deleted:
        return None
    return encode(
        ClassicMessage(
            message=message.text,
            username=message.author.name,
            room=created.room,
            seq=created.seq,
            sent_at=message.sent_at,
        )
    )
