"""What RFC 6455 asks of a server, byte by byte, of our WebSocket class.

The whole of Autobahn's suite runs by `bin/autobahn`; these are the cases that matter most, and
those that it leaves out: limits, lengths, and what comes after the end. Section numbers are
those of RFC 6455.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tertulia.protocol.frames import Frames
from tertulia.server import framing
from tertulia.server.websocket import EXTENSION
from tertulia.testing.processes import free_port, wait_for
from tests.server.rawpeer import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Frame,
    Peer,
    close,
    frame,
)

LIMIT = 131_072
Connect = Callable[[], Peer]

# Each is invalid from its last byte on at the latest, or incomplete.
INVALID_TEXTS = {
    "a byte that begins nothing": b"\x80",
    "a byte that never occurs": b"ok \xff",
    "overlong": b"\xc0\xaf",
    "overlong in three bytes": b"\xe0\x80\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\x81\xed\xb0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "incomplete at the end": "señ".encode()[:-1],
}


class EchoHandler:
    """Sends everything back, for a connection that has left ASGI."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def text(self, text: str) -> None:
        self._transport.send(Frames([text.encode()]))

    def binary(self, data: bytes) -> None:
        self._transport.write(framing.frame(framing.BINARY, data))

    def alive(self) -> None: ...

    def lost(self) -> None: ...


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Sends everything back: `/asgi` by ASGI, `/direct` by the extension."""
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/direct":
        transport = scope["extensions"][EXTENSION]
        transport.leave(EchoHandler(transport))
        return
    while (message := await receive())["type"] == "websocket.receive":
        kind = "text" if message.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: message[kind]})


@contextmanager
def serving(application: Any = echo, **options: Any) -> Iterator[int]:
    """The port; the settings are those of `tertulia serve` but for `options`."""
    port = free_port()
    settings: dict[str, Any] = {
        "loop": "uvloop",
        "http": "tertulia.server.http:HttpProtocol",
        "ws": "tertulia.server.websocket:WebSocketProtocol",
        "ws_max_size": LIMIT,
        "ws_per_message_deflate": False,
        "ws_ping_interval": None,
        "lifespan": "off",
        "log_level": "warning",
        "timeout_graceful_shutdown": 2,
    }
    config = uvicorn.Config(application, port=port, **{**settings, **options})
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, 20, "uvicorn serves", pause=0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest.fixture(params=["/asgi", "/direct"])
def connect(port: int, request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Opens a connection to each way in which an application can take its messages."""
    peers: list[Peer] = []

    def new() -> Peer:
        peers.append(Peer(port, request.param))
        return peers[-1]

    yield new
    for each in peers:
        each.leave()


@pytest.fixture
def peer(connect: Connect) -> Peer:
    return connect()


def refused(peer: Peer, *codes: int) -> list[Frame]:
    """The server fails the connection by one of the codes; what it said before that."""
    before, last = peer.closed()
    assert last.code in codes
    # What follows the code is for people, and UTF-8 (5.5.1).
    last.payload[2:].decode()
    return before


# --- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, LIMIT])
def test_a_message_comes_back_at_every_form_of_its_length(
    peer: Peer, opcode: int, size: int
) -> None:
    peer.send(frame(opcode, b"x" * size))
    assert peer.message() == Frame(opcode, b"x" * size)


@pytest.mark.parametrize("key", ["00000000", "ffffffff", "01020304"])
def test_every_mask_is_taken_off(peer: Peer, key: str) -> None:
    for size in range(10):
        payload = "ñandú 🦤"[:size].encode()
        peer.send(frame(TEXT, payload, key=bytes.fromhex(key)))
        assert peer.message().payload == payload


def test_binary_messages_may_hold_every_byte(peer: Peer) -> None:
    peer.send(frame(BINARY, bytes(range(256))))
    assert peer.message() == Frame(BINARY, bytes(range(256)))


def test_several_messages_in_one_chunk_come_back_in_order(peer: Peer) -> None:
    payloads = [b"%d" % number for number in range(50)]
    peer.send(*(frame(TEXT, payload) for payload in payloads))
    assert [peer.message().payload for _ in payloads] == payloads


def test_bytes_may_come_one_at_a_time(peer: Peer) -> None:
    frames = (
        frame(TEXT, "ñandú 🦤".encode()),
        frame(BINARY, b"a", final=False) + frame(PING, b"between"),
        frame(CONTINUATION, b"b" * 130),
        close(1000),
    )
    answers = []
    for each in frames:
        for byte in each:
            peer.send(bytes([byte]))
        answers.append(peer.receive())
    assert answers == [
        Frame(TEXT, "ñandú 🦤".encode()),
        Frame(PONG, b"between"),
        Frame(BINARY, b"a" + b"b" * 130),
        Frame(CLOSE, struct.pack("!H", 1000)),
    ]


def test_a_connection_that_breaks_off_within_a_frame_harms_no_other(connect: Connect) -> None:
    broken, other = connect(), connect()
    broken.send(frame(TEXT, b"x" * 1_000)[:500])
    broken.cut()
    other.send(frame(TEXT, b"still here"))
    assert other.message().payload == b"still here"


# --- fragments (5.4) ----------------------------------------------------------------------------


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_fragments_are_one_message(peer: Peer, opcode: int) -> None:
    peer.send(frame(opcode, b"one ", final=False))
    peer.send(frame(CONTINUATION, b"two ", final=False))
    peer.send(frame(CONTINUATION, b"three"))
    assert peer.message() == Frame(opcode, b"one two three")


def test_fragments_may_be_empty(peer: Peer) -> None:
    peer.send(frame(TEXT, final=False), frame(CONTINUATION, final=False), frame(CONTINUATION))
    assert peer.message() == Frame(TEXT, b"")
    peer.send(frame(TEXT, b"text", final=False), frame(CONTINUATION))
    assert peer.message() == Frame(TEXT, b"text")


def test_a_ping_between_fragments_is_answered_before_the_message_is_complete(peer: Peer) -> None:
    peer.send(frame(TEXT, b"one ", final=False), frame(PING, b"now"))
    assert peer.receive() == Frame(PONG, b"now")
    peer.send(frame(PONG, b"unasked"), frame(CONTINUATION, b"two"))
    assert peer.message() == Frame(TEXT, b"one two")


def test_a_message_may_not_go_on_that_has_not_begun(peer: Peer) -> None:
    peer.send(frame(CONTINUATION, b"of what?"))
    assert refused(peer, 1002) == []


def test_a_message_may_not_go_on_after_its_end(peer: Peer) -> None:
    peer.send(frame(TEXT, b"one ", final=False), frame(CONTINUATION, b"two"))
    assert peer.message().payload == b"one two"
    peer.send(frame(CONTINUATION, b"three"))
    assert refused(peer, 1002) == []


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_may_not_begin_within_another(peer: Peer, opcode: int, final: bool) -> None:
    peer.send(frame(TEXT, b"one ", final=False), frame(opcode, b"other", final=final))
    assert refused(peer, 1002) == []


# --- what a frame may be (5.1, 5.2) -------------------------------------------------------------


@pytest.mark.parametrize("reserved", [1, 2, 4, 7])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_reserved_bits_are_refused(peer: Peer, opcode: int, reserved: int) -> None:
    peer.send(frame(opcode, reserved=reserved), frame(TEXT, b"never read"))
    assert refused(peer, 1002) == []


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes_are_refused(peer: Peer, opcode: int, final: bool) -> None:
    peer.send(frame(opcode, b"payload", final=final), frame(PING, b"never read"))
    assert refused(peer, 1002) == []


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_what_is_not_masked_is_refused(peer: Peer, opcode: int) -> None:
    peer.send(frame(opcode, b"", key=None))
    assert refused(peer, 1002) == []


@pytest.mark.parametrize(
    ("size", "length"),
    [
        (0, struct.pack("!BH", 126, 0)),
        (125, struct.pack("!BH", 126, 125)),
        (125, struct.pack("!BQ", 127, 125)),
        (65_535, struct.pack("!BQ", 127, 65_535)),
    ],
)
def test_a_length_in_more_bytes_than_it_needs_is_refused(
    peer: Peer, size: int, length: bytes
) -> None:
    """5.2: the minimal number of bytes MUST be used."""
    peer.send(frame(TEXT, b"x" * size, length=length))
    assert refused(peer, 1002) == []


def test_a_length_of_64_bits_is_refused(peer: Peer) -> None:
    """5.2: the most significant bit MUST be 0."""
    peer.send(frame(BINARY, length=struct.pack("!BQ", 127, 1 << 63)))
    assert refused(peer, 1002, 1009) == []


# --- the limit ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 32, (1 << 63) - 1])
def test_a_frame_beyond_the_limit_is_refused_by_its_length_alone(peer: Peer, size: int) -> None:
    peer.send(frame(TEXT, length=struct.pack("!BQ", 127, size)))
    assert refused(peer, 1009) == []


def test_fragments_that_are_beyond_the_limit_together_are_refused(peer: Peer) -> None:
    half = b"x" * (LIMIT // 2)
    peer.send(frame(TEXT, half, final=False), frame(CONTINUATION, half, final=False))
    peer.send(frame(PING, b"still good"))
    assert peer.receive() == Frame(PONG, b"still good")
    peer.send(frame(CONTINUATION, b"x"))
    assert refused(peer, 1009) == []


def test_fragments_up_to_the_limit_come_back(peer: Peer) -> None:
    half = b"x" * (LIMIT // 2)
    for _ in range(2):
        # The second time shows that the count began anew.
        peer.send(frame(TEXT, half, final=False), frame(CONTINUATION, half))
        assert peer.message() == Frame(TEXT, half + half)


# --- text is UTF-8 (8.1) ------------------------------------------------------------------------


def test_text_of_every_length_of_a_character_comes_back(peer: Peer) -> None:
    text = "\x00aß€🦤\ud7ff\ue000\ufffe\uffff\U0010ffff".encode()
    peer.send(frame(TEXT, text))
    assert peer.message() == Frame(TEXT, text)


def test_a_character_may_be_split_between_fragments(peer: Peer) -> None:
    first, *others = [bytes([byte]) for byte in "ß€🦤".encode()]
    *middle, last = others
    peer.send(frame(TEXT, first, final=False))
    peer.send(*(frame(CONTINUATION, part, final=False) for part in middle))
    peer.send(frame(CONTINUATION, last))
    assert peer.message() == Frame(TEXT, "ß€🦤".encode())


@pytest.mark.parametrize("text", INVALID_TEXTS.values(), ids=list(INVALID_TEXTS))
def test_text_that_is_no_utf8_is_refused(peer: Peer, text: bytes) -> None:
    peer.send(frame(TEXT, text), frame(TEXT, b"never read"))
    assert refused(peer, 1007) == []


@pytest.mark.parametrize("text", INVALID_TEXTS.values(), ids=list(INVALID_TEXTS))
def test_text_that_is_no_utf8_across_fragments_is_refused(peer: Peer, text: bytes) -> None:
    parts = [bytes([byte]) for byte in text]
    peer.send(frame(TEXT, b"so far so good ", final=False))
    peer.send(*(frame(CONTINUATION, part, final=False) for part in parts), frame(CONTINUATION))
    assert refused(peer, 1007) == []


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0", b"\xf4\x90", "ñ".encode()[:1] + b"o"])
def test_text_that_cannot_become_utf8_is_refused_before_its_message_ends(
    peer: Peer, bad: bytes
) -> None:
    """The RFC does not say when; who waits for the end keeps what he could throw away."""
    peer.send(frame(TEXT, b"so far so good ", final=False))
    peer.send(frame(CONTINUATION, bad, final=False))
    assert refused(peer, 1007) == []


def test_binary_messages_need_be_no_utf8(peer: Peer) -> None:
    peer.send(frame(BINARY, b"\xff", final=False), frame(CONTINUATION, b"\xfe"))
    assert peer.message() == Frame(BINARY, b"\xff\xfe")


# --- control frames (5.5) -----------------------------------------------------------------------


@pytest.mark.parametrize("payload", [b"", b"ping", bytes(range(125))])
def test_a_ping_is_answered_with_its_payload(peer: Peer, payload: bytes) -> None:
    peer.send(frame(PING, payload))
    assert peer.receive() == Frame(PONG, payload)


def test_pings_are_answered_in_order_the_last_at_least(peer: Peer) -> None:
    """5.5.3: of several pings only the last need be answered."""
    payloads = [b"%d" % number for number in range(10)]
    peer.send(*(frame(PING, payload) for payload in payloads))
    answered = [peer.receive()]
    while answered[-1].payload != payloads[-1]:
        answered.append(peer.receive())
    assert {each.opcode for each in answered} == {PONG}
    numbers = [int(each.payload) for each in answered]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("payload", [b"", b"unasked", bytes(125)])
def test_a_pong_that_nobody_asked_for_is_passed_over(peer: Peer, payload: bytes) -> None:
    peer.send(frame(PONG, payload), frame(TEXT, b"go on"))
    assert peer.receive() == Frame(TEXT, b"go on")


@pytest.mark.parametrize("size", [126, 65_536])
@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_control_frame_of_more_than_125_bytes_is_refused(
    peer: Peer, opcode: int, size: int
) -> None:
    payload = struct.pack("!H", 1000) + b"x" * (size - 2)
    peer.send(frame(opcode, payload))
    assert refused(peer, 1002) == []


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_control_frame_in_fragments_is_refused(peer: Peer, opcode: int) -> None:
    peer.send(frame(opcode, final=False), frame(CONTINUATION))
    assert refused(peer, 1002) == []


# --- the closing handshake (5.5.1, 7) -----------------------------------------------------------


def test_a_close_without_code_is_answered(peer: Peer) -> None:
    peer.send(close())
    before, last = peer.closed()
    assert before == []
    # 1005 would say "none", and must never be sent (7.4.1).
    assert last.code in (None, 1000)


@pytest.mark.parametrize(
    "code",
    # 1012 to 1014 are later entries of the registry that 7.4 sets up.
    [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999],
)
def test_a_close_is_answered_with_its_code(peer: Peer, code: int) -> None:
    peer.send(close(code, "adiós".encode()))
    before, last = peer.closed()
    assert before == []
    assert last.code in (code, 1000)


def test_a_reason_may_fill_its_frame(peer: Peer) -> None:
    peer.send(close(1000, b"x" * 123))
    assert peer.closed()[1].code == 1000


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
)
def test_a_code_that_may_not_be_sent_is_refused(peer: Peer, code: int) -> None:
    peer.send(close(code))
    assert refused(peer, 1002) == []


def test_half_a_code_is_refused(peer: Peer) -> None:
    peer.send(frame(CLOSE, b"\x03"))
    assert refused(peer, 1002) == []


def test_a_reason_that_is_no_utf8_is_refused(peer: Peer) -> None:
    peer.send(close(1000, b"adi\xf3s"))
    assert refused(peer, 1002, 1007) == []


def test_nothing_is_read_after_a_close(peer: Peer) -> None:
    peer.send(
        close(1000),
        frame(TEXT, b"too late"),
        frame(PING, b"too late"),
        frame(CONTINUATION, b"wrong anyhow"),
        close(1001),
    )
    before, last = peer.closed()
    assert before == []
    assert last.code == 1000


def test_a_close_ends_a_message_that_is_not_complete(peer: Peer) -> None:
    peer.send(frame(TEXT, b"one ", final=False), close(1000), frame(CONTINUATION, b"two"))
    before, last = peer.closed()
    assert before == []
    assert last.code == 1000


def test_a_message_before_a_close_is_answered_or_not_but_whole(peer: Peer) -> None:
    peer.send(frame(TEXT, b"last words"), close(1000))
    before, last = peer.closed()
    assert before in ([], [Frame(TEXT, b"last words")])
    assert last.code == 1000


def test_the_server_ends_the_connection_after_both_closes(peer: Peer) -> None:
    """7.1.1: the server ends it first; the peer only waits."""
    peer.send(close(1000))
    assert peer.receive().code == 1000
    peer.ended()


@pytest.mark.parametrize("answered", [True, False])
def test_a_connection_that_is_refused_ends_whether_the_close_is_answered_or_not(
    peer: Peer, answered: bool
) -> None:
    peer.send(frame(3))
    assert peer.receive().code == 1002
    if answered:
        peer.send(close(1002))
    peer.ended()


def test_the_reason_for_a_refusal_arrives_although_the_peer_goes_on_sending(peer: Peer) -> None:
    """A server that closed with unread input would reset the connection, and the close be lost."""
    peer.send(frame(TEXT, b"\xff"), *(frame(TEXT, b"x" * 1_000) for _ in range(100)))
    assert refused(peer, 1007) == []


# --- who takes and does not give ----------------------------------------------------------------


def test_pongs_do_not_pile_up_for_a_peer_that_does_not_read(peer: Peer) -> None:
    """5.5.3 lets a server answer the last ping alone, or it may stop reading."""
    pings = frame(PING, bytes(125)) * 1_000
    sent = peer.send_without_reading(pings, 300)
    peer.end()
    # What the kernel keeps for both ends has a place in it, and no more.
    assert peer.waiting() < 24_000_000, f"of {sent} bytes"
