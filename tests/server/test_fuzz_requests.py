"""Whatever bytes a client sends for a request: it is answered or hung up on, nothing fails within
the server, and sockets are opened by right handshakes only.
"""

from __future__ import annotations

import base64
import hashlib
import re
import select
import socket
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.fuzz import fuzz

from .failing import failures
from .rawpeer import TEXT, frame
from .test_conformance import echo, serving

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# A line, then fields, then an end; the answer of the server may be several of them.
HEAD = re.compile(
    rb"HTTP/1\.1 (\d{3})[^\r\n]*\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\x00]*\r\n)*\r\n"
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Opens every socket; answers every other request when it has come as a whole."""
    if scope["type"] == "websocket":
        await echo(scope, receive, send)
        return
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a page"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(application) as port:
        yield port


@pytest.fixture(scope="module")
def failed(port: int) -> Iterator[list[str]]:
    """What the server has said of failures of its own, in all trials."""
    with failures() as found:
        yield found


def said(port: int, *packets: bytes, patience: float = 10.0) -> bytes:
    """All that the server answers to these bytes.

    `patience`: seconds for the first of it. After it, or after that time, no more comes from us,
    which is the end of what the server has not begun to answer.
    """
    with socket.create_connection(("127.0.0.1", port), 20) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        try:
            for packet in packets:
                peer.sendall(packet)
            if select.select([peer], [], [], patience)[0]:
                answer = peer.recv(65_536)
            peer.shutdown(socket.SHUT_WR)
            while data := peer.recv(65_536):
                answer += data
        except OSError:
            pass
    return answer


tokens = st.text("abcXYZ-_.~!#$%&'*+^`|019", min_size=1, max_size=12).map(str.encode)
values = (
    st.binary(max_size=30)
    | st.text(max_size=30).map(lambda text: text.encode("utf-8", "ignore"))
    | st.sampled_from([b"", b",", b", ,", b"websocket", b"Upgrade", b"13", b"chunked", b"0", b"-1"])
    | st.sampled_from([b"keep-alive", b"close", b"100-continue", b"9" * 40, b"x" * 9_000])
)
names = tokens | st.sampled_from(
    [b"Host", b"Connection", b"Upgrade", b"Content-Length", b"Transfer-Encoding", b"Expect",
     b"Sec-WebSocket-Key", b"Sec-WebSocket-Version", b"Sec-WebSocket-Protocol", b"Origin",
     b"Sec-WebSocket-Extensions", b"Trailer", b"TE"]
)  # fmt: skip
targets = st.sampled_from(
    [b"/", b"/asgi", b"/direct", b"*", b"", b"//", b"/%ff%00", b"/\xff", b"http://a/b", b"/?\xc3",
     b"http://[::1", b"a:b", b"/" + b"x" * 9_000, b"/%", b"?", b"#", b"/a b"]
) | st.binary(max_size=20)  # fmt: skip
methods = st.sampled_from([b"GET", b"POST", b"HEAD", b"PRI", b"CONNECT", b"get", b"", b"G\xc9T"])
versions = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 ", b"", b"HTTP/9"])
ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\n "])
fields = st.lists(st.tuples(names, st.sampled_from([b": ", b":", b" : ", b""]), values), max_size=8)
HANDSHAKE = [
    (b"Host", b": ", b"x"),
    (b"Connection", b": ", b"Upgrade"),
    (b"Upgrade", b": ", b"websocket"),
    (b"Sec-WebSocket-Version", b": ", b"13"),
    (b"Sec-WebSocket-Key", b": ", KEY.encode()),
]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Mostly a handshake with something odd in it."""
    line = [b"GET", b"/direct", b"HTTP/1.1"]
    if draw(st.booleans()):
        line[draw(st.integers(0, 2))] = draw(st.one_of(methods, targets, versions))
    said = (HANDSHAKE if draw(st.booleans()) else []) + draw(fields)
    end = draw(ends)
    head = end.join([b" ".join(line), *(b"".join(field) for field in said), b"", b""])
    return head + draw(st.binary(max_size=30) | st.just(frame(TEXT, b"early")))


@fuzz(250)
@given(
    st.lists(requests() | st.binary(max_size=60), min_size=1, max_size=2).map(b"".join),
    st.lists(st.integers(1, 400), max_size=3),
)
@example(b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", [])
@example(b"GET //[ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [])
def test_any_request_is_answered_or_hung_up_on(
    port: int, failed: list[str], data: bytes, cuts: list[int]
) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    answer = said(port, *(data[a:b] for a, b in pairwise(edges)), patience=0.03)
    if answer:
        head = HEAD.match(answer)
        assert head, answer
        if head[1] == b"101":
            # What follows are frames, and no other head.
            assert b"HTTP/" not in answer[head.end() :]
        assert head[1] < b"500", answer
    assert failed == []


# What stands in a handshake, and what does not do instead.
CHOICES: dict[str, tuple[str, list[str | None]]] = {
    "method": ("GET", ["POST", "HEAD", "OPTIONS"]),
    "Connection": ("Upgrade", ["keep-alive", "", "Upgraded", None]),
    "Upgrade": ("websocket", ["h2c", "web socket", "", None]),
    "Sec-WebSocket-Version": ("13", ["8", "", "013", "13, 8", None]),
    "Sec-WebSocket-Key": (
        KEY,
        ["", "short", KEY[:-1], KEY + "=", KEY[:-4] + "====", "ñ" * 16, "*" * 24, None],
    ),
}


@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, upgrade", "UPGRADE,close"])
@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
def test_a_right_handshake_opens_a_socket(port: int, connection: str, upgrade: str) -> None:
    answer = said(port, handshake({"Connection": connection, "Upgrade": upgrade}))
    assert accepted(answer, KEY)


@fuzz(60)
@given(st.binary(min_size=16, max_size=16))
def test_any_key_is_answered_as_the_standard_says(port: int, key: bytes) -> None:
    written = base64.b64encode(key).decode()
    answer = said(port, handshake({"Sec-WebSocket-Key": written}))
    assert accepted(answer, written)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [(field, wrong) for field, (_, choices) in CHOICES.items() for wrong in choices],
)
def test_a_handshake_with_one_thing_wrong_opens_none(
    port: int, failed: list[str], field: str, wrong: str | None
) -> None:
    answer = said(port, handshake({field: wrong}))
    assert not answer.startswith(b"HTTP/1.1 101")
    if field.startswith("Sec-") or field == "method":
        status = {"method": b"405", "Sec-WebSocket-Version": b"426"}.get(field, b"400")
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert failed == []


def test_a_key_or_a_version_may_stand_there_once_only(port: int) -> None:
    for twice in (f"Sec-WebSocket-Key: {KEY}", "Sec-WebSocket-Version: 13"):
        answer = said(port, handshake({}, twice))
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 426")), answer


def handshake(instead: dict[str, str | None], *more: str) -> bytes:
    """A right one but for these."""
    have = {name: choice for name, (choice, _) in CHOICES.items()} | instead
    method = have.pop("method")
    lines = [f"{method} /direct HTTP/1.1", "Host: x", *more]
    lines += [f"{name}: {value}" for name, value in have.items() if value is not None]
    return "\r\n".join([*lines, "", ""]).encode()


def accepted(answer: bytes, key: str) -> bool:
    head = answer.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    expected = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    return (
        head[0].startswith("http/1.1 101 ")
        and f"sec-websocket-accept: {expected}".lower() in head
        and expected in answer.decode(errors="replace")
        and not any(line.startswith("sec-websocket-extensions") for line in head)
    )
