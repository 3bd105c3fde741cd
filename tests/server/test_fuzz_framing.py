"""Whatever bytes come, in whatever pieces: the frame decoder reads what the slow reference reads,
raises nothing but its own violation, and keeps no more than it may.
"""

from __future__ import annotations

import gc
import sys
from itertools import pairwise
from types import FunctionType, ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tertulia.server.framing import CONT, Reader, Violation, close_frame, read_close
from tests.support.fuzz import fuzz

from . import reference
from .rawpeer import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

# Small, so that limits are met; the last, so that a length may need 64 bits.
SIZES = (0, 10, 300, 70_000)
# Of a frame besides its payload, and what a bytearray takes in advance: an eighth.
HEADER = 14
SLACK = 200

keys = st.binary(min_size=4, max_size=4) | st.just(bytes(4))
letters = st.sampled_from(["", "a", "ñ", "€", "🦤", "\x00", "\ud7ff", "hola " * 30])
payloads = (
    st.lists(letters, max_size=4).map(lambda parts: "".join(parts).encode())
    | st.binary(max_size=20)
    | st.sampled_from([125, 126, 127, 299, 300, 301, 65_535, 65_536, 70_001]).map(bytes)
)
control = st.builds(frame, st.sampled_from([CLOSE, PING, PONG]), st.binary(max_size=125), key=keys)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One message in as many fragments as come about, with control frames between them."""
    payload = draw(payloads)
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
    parts = [payload[a:b] for a, b in pairwise([0, *cuts, len(payload)])]
    opcode = draw(st.sampled_from([TEXT, TEXT, BINARY]))
    data = b""
    for number, part in enumerate(parts):
        final = number == len(parts) - 1
        data += frame(CONTINUATION if number else opcode, part, final=final, key=draw(keys))
        if draw(st.integers(0, 4)) == 4:
            data += draw(control)
    return data


# Frames in any order, with any bits and any length that they say they have.
odd_frames = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=10),
    final=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 1, 4, 7]),
    key=keys | st.none(),
    length=st.none()
    | st.integers(0, 127).map(lambda short: bytes([short]))
    | st.integers(0, 65_535).map(lambda length: b"\x7e" + length.to_bytes(2))
    | st.integers(0, 2**64 - 1).map(lambda length: b"\x7f" + length.to_bytes(8)),
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """What a client sends: mostly right, and in most cases somewhere wrong."""
    kinds = st.one_of(messages(), messages(), control, odd_frames, st.binary(max_size=20))
    data = b"".join(draw(st.lists(kinds, max_size=6)))
    if data and draw(st.booleans()):
        place = draw(st.integers(0, len(data) - 1))
        data = data[:place] + draw(st.binary(max_size=2)) + data[place + draw(st.integers(0, 2)) :]
    return data


def read(data: bytes, cuts: list[int], max_size: int) -> tuple[reference.Read, int | None]:
    """What the decoder reads of these bytes when they come in these pieces."""
    reader, messages = Reader(max_size), []
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in pairwise(edges):
        try:
            for opcode, payload in reader.feed(data[start:end]):
                if opcode != CONT:
                    messages.append((opcode, payload))
        except Violation as violation:
            assert violation.reason
            return messages, violation.code
        # A payload's bytes beyond the limit are never waited for, those up to it are.
        assert kept(reader) <= (max(max_size, 125) + HEADER) * 9 / 8 + SLACK
    return messages, None


def kept(reader: Reader) -> int:
    """Bytes that it holds on to: of all that it refers to, however it is called."""
    seen: dict[int, object] = {}
    found: list[object] = [reader]
    while found:
        each = found.pop()
        if isinstance(each, type | ModuleType | FunctionType) or id(each) in seen:
            continue
        seen[id(each)] = each
        found += gc.get_referents(each)
    return sum(sys.getsizeof(each) for each in seen.values() if isinstance(each, bytes | bytearray))


cuts = st.lists(st.integers(1, 400) | st.integers(1, 70_100), max_size=8)


@fuzz(400)
@given(streams(), cuts, st.sampled_from(SIZES))
@example(frame(TEXT, b"\xf4", final=False) + frame(CONTINUATION, b"\x90", final=False), [], 10)
@example(frame(TEXT, b"\xed\xa0", final=False), [], 10)
@example(frame(BINARY, length=b"\x7f" + (2**30).to_bytes(8)), [3], 70_000)
@example(frame(TEXT, b"x" * 70_000, key=b"abcd"), [2, 9, 14, 60_000], 70_000)
def test_it_reads_what_the_reference_reads(data: bytes, cuts: list[int], max_size: int) -> None:
    assert read(data, cuts, max_size) == reference.read(data, max_size)


@fuzz(150)
@given(streams().filter(lambda data: len(data) < 2_000), st.sampled_from(SIZES))
def test_a_byte_at_a_time_is_the_same(data: bytes, max_size: int) -> None:
    whole = read(data, [], max_size)
    assert read(data, list(range(len(data))), max_size) == whole


@fuzz(300)
@given(st.binary(max_size=200), cuts, st.sampled_from(SIZES))
def test_noise(data: bytes, cuts: list[int], max_size: int) -> None:
    assert read(data, cuts, max_size) == reference.read(data, max_size)


@pytest.mark.parametrize("max_size", SIZES)
def test_every_beginning_of_a_frame(max_size: int) -> None:
    """All that two bytes can be, by themselves and with a message begun before them."""
    rest = bytes(140)
    for before in (b"", frame(TEXT, b"", final=False)):
        for first in range(256):
            for second in (0, 1, 125, 126, 127, 128, 129, 253, 254, 255):
                data = before + bytes((first, second)) + rest
                for these in (data, data[: len(before) + 2], data[: len(before) + 9]):
                    assert read(these, [], max_size) == reference.read(these, max_size)


@fuzz(300)
@given(st.binary(max_size=125))
def test_any_payload_of_a_close(payload: bytes) -> None:
    """It is refused, or read as it would be written."""
    try:
        code, reason = read_close(payload)
    except Violation as violation:
        assert violation.code in (1002, 1007)
        return
    written = close_frame(code, reason)
    assert written == bytes((0x88, len(payload))) + payload


@fuzz(100)
@given(st.integers(1000, 4999).filter(lambda code: code != 1005), st.text(max_size=150))
def test_any_reason_fits_into_a_close(code: int, reason: str) -> None:
    written = close_frame(code, reason.encode(errors="ignore").decode())
    assert written[0] == 0x88
    assert written[1] == len(written) - 2 <= 125
    assert reason.encode(errors="ignore").startswith(written[4:])
    written[4:].decode()


def test_empty_fragments_are_each_told_of_and_not_kept() -> None:
    """Whoever reads takes turns by them; nothing of them stays."""
    reader = Reader(10)
    assert list(reader.feed(frame(TEXT, b"a", final=False))) == [(CONT, b"")]
    packet = frame(CONTINUATION, final=False) * 1_000
    for _ in range(20):
        assert sum(1 for _ in reader.feed(packet)) == 1_000
        assert kept(reader) < SLACK
    assert list(reader.feed(frame(CONTINUATION, b"b"))) == [(TEXT, "ab")]
