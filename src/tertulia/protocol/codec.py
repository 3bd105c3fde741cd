"""Bytes to commands and objects to bytes.

`decode` raises nothing but `ProtocolError`, whatever the input; this is fuzzed.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from typing import Any, cast

import msgspec

from . import commands
from .errors import Code, ProtocolError, invalid
from .events import ClassicError, ErrorBody, ErrorReply

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(commands.Any)
_encoder = msgspec.json.Encoder()


class _Referred(msgspec.Struct):
    ref: commands.Ref | None = None


_ref_decoder = msgspec.json.Decoder(_Referred)
_FORBIDDEN = "The text holds a character that is not allowed here, such as NUL."
_FIELD = re.compile(r"(?:`\$\.([a-z_]+)|required field `([a-z_]+)`)")

encode = _encoder.encode


class Malformed(Exception):
    """A frame that is no command."""


def decode(data: str | bytes) -> commands.Any:
    """One frame to one command. Raises `ProtocolError`, with its `ref` where there is one."""
    try:
        return decode_well_formed(data)
    except Malformed:
        return decode_slowly(data)


def decode_well_formed(data: str | bytes) -> commands.Any:
    """The quick half of `decode`. Raises `Malformed`: the other half costs more."""
    try:
        command = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        raise Malformed from None
    return cast("commands.Any", command)


def decode_slowly(data: str | bytes) -> commands.Any:
    """The other half: a command in whose unknown fields something is amiss, which is ignored.

    Raises `ProtocolError`: why it is none, with its `ref` where there is one.
    """
    frame = parse_object(data)
    if isinstance(frame, ProtocolError):
        raise frame
    kind = frame.get("type")
    ref = frame.get("ref")
    if kind == "auth":
        return _converted(commands.Auth, frame)
    if not _is_ref(ref):
        raise ProtocolError(Code.BAD_FRAME, "A command needs a `ref`: a number or a string.")
    struct = commands.BY_TYPE.get(kind) if isinstance(kind, str) else None
    try:
        if struct is None:
            raise ProtocolError(Code.UNKNOWN_COMMAND, "There is no command of this `type`.")
        return _converted(struct, frame)
    except ProtocolError as error:
        error.ref = ref
        raise


def _converted(struct: type[msgspec.Struct], frame: dict[str, Any]) -> commands.Any:
    known = {name: frame[name] for name in (*struct.__struct_fields__, "type") if name in frame}
    for field, value in known.items():
        try:
            amiss = _has_surrogate(value)
        except RecursionError:
            raise invalid(field, "This is nested too deeply.") from None
        if amiss:
            raise invalid(field, "Text must be valid Unicode: it holds a lone surrogate.")
    try:
        return cast("commands.Any", msgspec.convert(known, struct))
    except (msgspec.ValidationError, RecursionError, ValueError) as error:
        found = _FIELD.search(str(error))
        field = (found.group(1) or found.group(2)) if found else "type"
        detail = _FORBIDDEN if "matching regex" in str(error) else str(error)
        raise invalid(field, detail) from None


def ref_of(data: str | bytes) -> commands.Ref | None:
    """The `ref` of a frame that is not looked at any further; None where there is none."""
    try:
        ref = _ref_decoder.decode(data).ref
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None
    return ref if _is_ref(ref) else None


def parse_object(data: str | bytes) -> dict[str, Any] | ProtocolError:
    """Any JSON object, leniently: lone surrogates are let through, to be named by field."""
    try:
        frame = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return ProtocolError(Code.BAD_FRAME, "A frame must be one JSON object in UTF-8.")
    if not isinstance(frame, dict):
        return ProtocolError(Code.BAD_FRAME, "A frame must be one JSON object, not another value.")
    return frame


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _is_ref(ref: Any) -> bool:
    """A number or string that can be sent back as it came."""
    if isinstance(ref, bool) or not isinstance(ref, int | float | str):
        return False
    if isinstance(ref, str):
        return not _has_surrogate(ref)
    return not isinstance(ref, float) or math.isfinite(ref)


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_surrogate, (*value, *value.values())))
    if isinstance(value, list):
        return any(map(_has_surrogate, value))
    return isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value)


def error_body(error: ProtocolError) -> ErrorBody:
    """The `error` object of a reply, REST or protocol."""
    body = ErrorBody(code=error.code.value, detail=error.detail)
    if error.field is not None:
        body.field = error.field
    if error.retry_after is not None:
        body.retry_after = round(error.retry_after, 3)
    if error.messages is not None:
        body.messages = error.messages
    return body


def encode_error(error: ProtocolError) -> bytes:
    """A refusal as a reply."""
    return encode(ErrorReply(ref=error.ref, error=error_body(error)))


def decode_classic(data: str | bytes) -> str:
    """The text of a classic frame: `{"message": "hola"}`; further fields are ignored."""
    frame = parse_object(data)
    if isinstance(frame, ProtocolError):
        raise invalid("message", frame.detail)
    text = frame.get("message")
    if not isinstance(text, str):
        raise invalid("message", 'Send an object with a text: {"message": "hola"}.')
    if "\x00" in text or _has_surrogate(text):
        raise invalid("message", "Text must be valid Unicode without NUL.")
    return text


def encode_classic_error(error: ProtocolError) -> bytes:
    """A refusal as a classic client gets it."""
    body = ClassicError(code=error.code.value, detail=error.detail)
    if error.retry_after is not None:
        body.retry_after = round(error.retry_after, 3)
    return encode(body)


def new_key() -> uuid.UUID:
    """A key for a message whose client gives none."""
    return uuid.uuid4()
