"""Error codes and close codes: a contract with every client."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .events import Message


class Code(StrEnum):
    """`code` of an error reply."""

    BAD_FRAME = "bad_frame"
    UNKNOWN_COMMAND = "unknown_command"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Close(IntEnum):
    """WebSocket close codes that the application sends. 4401, 4403 and 4404 are final."""

    GOING_AWAY = 1001
    TOO_BIG = 1009
    RESTART = 1012
    TOO_SLOW = 1013
    NOT_THE_PROTOCOL = 4400
    UNAUTHENTICATED = 4401
    BANNED = 4403
    NO_SUCH_ROOM = 4404
    NO_SIGN_OF_LIFE = 4408
    TOO_MANY = 4429


class ProtocolError(Exception):
    """A refusal that the client is told of; it never closes the connection.

    `field` names the offending field of an `invalid` command, `retry_after` is in seconds
    and stands only where a retry can help. `messages` are those that a message was written without
    knowing. `ref` is filled in by the decoder.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        field: str | None = None,
        retry_after: float | None = None,
        messages: list[Message] | None = None,
        ref: int | float | str | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        self.messages = messages
        self.ref = ref


def invalid(field: str, detail: str) -> ProtocolError:
    """The value of `field` cannot be used."""
    return ProtocolError(Code.INVALID, detail, field=field)


def not_found(detail: str = "There is no such room, or you may not see it.") -> ProtocolError:
    """Absent and hidden rooms give this same answer."""
    return ProtocolError(Code.NOT_FOUND, detail)


def forbidden(detail: str) -> ProtocolError:
    """The person may see the room, but not do this in it."""
    return ProtocolError(Code.FORBIDDEN, detail)


def conflict(detail: str) -> ProtocolError:
    """The act contradicts the present state."""
    return ProtocolError(Code.CONFLICT, detail)


def unavailable(detail: str, retry_after: float = 1.0) -> ProtocolError:
    """Nothing can be said of the outcome; with the same key a retry is safe."""
    return ProtocolError(Code.UNAVAILABLE, detail, retry_after=retry_after)
