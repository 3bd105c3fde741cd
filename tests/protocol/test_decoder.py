"""No input makes the decoder raise anything but a protocol error."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.protocol import codec, commands
from tertulia.protocol.errors import Code, ProtocolError
from tests.support.fuzz import fuzz

FUZZ = fuzz(200)
TELLING = {Code.BAD_FRAME, Code.UNKNOWN_COMMAND, Code.INVALID}

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["\ud800", "\x00", "\u202e", "", " ", "1e999", "9" * 400]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
fields = sorted({name for struct in commands.BY_TYPE.values() for name in struct.__struct_fields__})
frames: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict.__or__,
    st.dictionaries(st.sampled_from(fields), anything, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from([*commands.BY_TYPE, "reply", "welcome", ""]) | anything,
            "ref": st.integers() | st.text(max_size=8) | anything,
        },
    ),
)


def attempt(data: str | bytes) -> tuple[Any, ProtocolError | None]:
    """The command or the refusal; any other exception fails the test."""
    try:
        return codec.decode(data), None
    except ProtocolError as error:
        return None, error


def decoded(data: str | bytes) -> Any:
    """The command, or None after a refusal that is fit to be told."""
    command, error = attempt(data)
    if error is not None:
        assert error.code in TELLING
        assert error.detail
        assert error.field or error.code is not Code.INVALID
        told = json.loads(codec.encode_error(error))
        assert told["ref"] == error.ref
        assert told["error"]["code"] == error.code
    return command


def assert_holds(command: Any, frame: dict[str, Any]) -> None:
    """What was sent and nothing else; of another kind are only keys."""
    for name in set(command.__struct_fields__) & set(frame):
        value, sent = getattr(command, name), frame[name]
        if isinstance(value, uuid.UUID):
            sent = uuid.UUID(sent)
        elif isinstance(value, datetime):
            sent = datetime.fromisoformat(sent)
        assert value == sent, name


@FUZZ
@given(st.text())
def test_any_text(data: str) -> None:
    decoded(data)


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    decoded(data)


@FUZZ
@given(anything)
def test_any_json(value: Any) -> None:
    decoded(json.dumps(value))


@FUZZ
@given(frames)
def test_any_frame(frame: dict[str, Any]) -> None:
    command = decoded(json.dumps(frame))
    if command is not None:
        assert isinstance(command, commands.BY_TYPE[frame["type"]])
        assert_holds(command, frame)


characters = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
plain = st.text(characters, max_size=30)
seqs = st.integers(1, 2**62)
cursors = st.none() | st.text(characters, max_size=64)
# What each field may hold; of a field with several meanings, what is right in all of them.
GOOD: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("room", "text", "name", "topic", "member", "token", "connect"), plain),
    **dict.fromkeys(("inbox", "agent", "instead_of", "url"), plain),
    **dict.fromkeys(("seq", "after", "before", "around", "version", "reply_to", "seen"), seqs),
    **dict.fromkeys(("archived", "favourite", "available", "new"), st.booleans()),
    "ref": st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | plain,
    "query": plain,
    "limit": st.integers(1, 100),
    "cursor": cursors,
    "epoch": st.none() | plain,
    "key": st.uuids().map(str) | st.uuids().map(lambda key: key.hex),
    "kind": st.sampled_from(["public", "private", "direct"]),
    "role": st.sampled_from(["owner", "moderator", "member"]),
    "members": st.lists(plain, max_size=5),
    "attachments": st.lists(plain, max_size=5),
    "until": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    "rating": st.integers(1, 5),
    "filter": st.sampled_from(["unassigned", "mine", "all", "waiting", "snoozed", "resolved"]),
    "emoji": st.sampled_from(["👍", "❤️", "x"]),
}


@pytest.mark.parametrize("kind", sorted(commands.BY_TYPE))
@FUZZ
@given(st.data())
def test_a_right_command_is_read_as_it_was_sent(kind: str, data: st.DataObject) -> None:
    """Its fields in any order, with others between them, as text or as bytes, escaped or not."""
    names = commands.BY_TYPE[kind].__struct_fields__
    fields = {name: data.draw(GOOD[name], name) for name in names}
    frame = {
        **fields,
        "type": kind,
        data.draw(st.sampled_from(["x", "", "Ref"])): data.draw(anything),
    }
    frame = dict(data.draw(st.permutations(list(frame.items()))))
    try:
        text = json.dumps(frame, ensure_ascii=data.draw(st.booleans()), allow_nan=False)
        json.dumps(frame, ensure_ascii=False).encode()
    except ValueError:
        return  # what is in the other field is no JSON, or holds a lone surrogate
    raw: str | bytes = text.encode() if data.draw(st.booleans()) else text
    command, error = attempt(raw)
    assert error is None, error
    assert isinstance(command, commands.BY_TYPE[kind])
    assert_holds(command, frame)


@FUZZ
@given(frames, st.data())
def test_any_frame_with_a_bit_broken(frame: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(json.dumps(frame, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    decoded(bytes(raw))
    decoded(bytes(raw[:place]))


@FUZZ
@given(frames)
def test_a_refusal_bears_the_ref_of_its_command(frame: dict[str, Any]) -> None:
    ref = frame.get("ref")
    _, error = attempt(json.dumps(frame))
    if error is None or error.code is Code.BAD_FRAME or frame.get("type") == "auth":
        return
    assert type(error.ref) is type(ref)
    assert error.ref == ref


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', '{"type":"ping","ref":1,"x":['])
@pytest.mark.parametrize("depth", [100, 1_000, 10_000, 100_000])
@pytest.mark.parametrize("closed", [True, False])
def test_any_depth(opening: str, depth: int, closed: bool) -> None:
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    decoded(opening * depth + ("1" + closing * depth if closed else ""))


@pytest.mark.parametrize("digits", [20, 400, 5_000, 100_000])
@pytest.mark.parametrize("form", ["{}", "-{}", "{}.5", "1e{}", "0.{}"])
def test_any_number(digits: int, form: str) -> None:
    number = form.format("9" * digits)
    for name in ("ref", "seq", "limit", "after"):
        decoded(f'{{"type":"history.list","room":"r","ref":1,"{name}":{number}}}')


@pytest.mark.parametrize("kind", sorted(commands.BY_TYPE))
def test_a_command_with_all_fields_of_the_wrong_type(kind: str) -> None:
    for value in (None, True, -1, 1.5, "\x00", [], {}, [None], {"a": 1}):
        decoded(json.dumps(dict.fromkeys(fields, value) | {"type": kind, "ref": 1}))


@FUZZ
@given(st.text() | st.binary(max_size=200) | frames.map(json.dumps) | anything.map(json.dumps))
def test_the_classic_decoder(data: str | bytes) -> None:
    refusal = None
    try:
        text = codec.decode_classic(data)
    except ProtocolError as error:
        refusal = error
    if refusal is None:
        text.encode()
    else:
        assert refusal.code is Code.INVALID
        assert "message" not in json.loads(codec.encode_classic_error(refusal))
