"""What a peer of HTTP takes of the server by not reading, or by asking for all at once."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tertulia.server import http
from tertulia.testing.processes import wait_for

from .failing import failures
from .test_conformance import serving

# More than the kernel takes for a peer with a small window.
LARGE = 8_000_000
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
UPGRADE = GET[:-2] + (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Pages:
    """Answers with so many bytes, in pieces, as soon as it may."""

    def __init__(self, size: int = 10, pieces: int = 1) -> None:
        self.size = size
        self.pieces = pieces
        self.asked = 0
        self.done = 0
        self.may = threading.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.asked += 1
        while not self.may.is_set():  # noqa: ASYNC110 - it is set by another thread
            await asyncio.sleep(0.01)
        length = str(self.size).encode()
        headers = [(b"content-length", length)]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            piece = b"x" * (self.size // self.pieces)
            for number in range(self.pieces):
                more = number < self.pieces - 1
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        finally:
            self.done += 1


class Asking:
    """A connection to these pages, and what the server has said of failures meanwhile."""

    def __init__(self, port: int, pages: Pages, failed: list[str], window: int) -> None:
        self.pages = pages
        self.failed = failed
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))

    def ask(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answered(self, requests: int = 1) -> None:
        """Every one of these requests is, in full."""
        answer = b""
        while answer.count(b"x" * self.pages.size) < requests:
            data = self.socket.recv(65_536)
            assert data, answer
            answer += data
        assert answer.count(b"HTTP/1.1 200 OK") == requests

    def rest(self, pause: float = 0.0) -> bytes:
        """All that comes until the end of the connection."""
        taken = bytearray()
        try:
            while data := self.socket.recv(65_536):
                taken += data
                time.sleep(pause)
        except ConnectionResetError:
            pass
        return bytes(taken)

    def over(self) -> None:
        """Nobody answers it any more."""
        wait_for(lambda: self.pages.done == self.pages.asked, 10, "no answer is under way")


@contextmanager
def asking(
    pages: Pages, *, window: int = 65_536, level: int = logging.ERROR, **options: Any
) -> Iterator[Asking]:
    with serving(pages, **options) as port, failures(level) as failed:
        peer = Asking(port, pages, failed, window)
        with peer.socket:
            yield peer


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("pieces", [1, 20])
def test_an_answer_that_nobody_takes_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, pieces: int, loop: str
) -> None:
    """In pieces the application waits for the peer; in one piece only the transport does, which
    uvicorn has closed when no other request came."""
    monkeypatch.setattr(http, "WRITE_SECONDS", 0.3)
    pages = Pages(LARGE, pieces)
    with asking(
        pages, window=4_096, level=logging.WARNING, timeout_keep_alive=0, loop=loop
    ) as peer:
        pages.may.set()
        peer.ask(GET)
        time.sleep(1.0)
        assert len(peer.rest()) < LARGE
        peer.over()
        assert peer.failed == []


def test_an_answer_that_is_taken_slowly_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells of room only when there is much of it: a peer must not seem to rest."""
    monkeypatch.setattr(http, "WRITE_SECONDS", 1.0)
    pages = Pages(LARGE, 20)
    with asking(pages, timeout_keep_alive=1) as peer:
        pages.may.set()
        peer.ask(GET)
        assert len(peer.rest(pause=0.02)) > LARGE


def test_an_answer_that_is_taken_late_but_in_time_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "WRITE_SECONDS", 5.0)
    pages = Pages(LARGE, 20)
    with asking(pages, window=4_096, timeout_keep_alive=1) as peer:
        pages.may.set()
        peer.ask(GET)
        time.sleep(0.5)
        assert len(peer.rest()) > LARGE


def test_requests_that_wait_are_answered_up_to_a_number() -> None:
    number = http.WAITING_REQUESTS
    pages = Pages()
    with asking(pages) as peer:
        peer.ask(GET * number)
        wait_for(lambda: pages.asked == 1, 10, "the first is being answered")
        pages.may.set()
        peer.answered(number)


def test_whoever_asks_for_more_is_cut() -> None:
    """Of all that he asked for no more than one was begun, which has nobody to tell it to."""
    pages = Pages()
    with asking(pages, level=logging.WARNING) as peer:
        peer.ask(GET * 5_000)
        assert peer.rest() == b""
        pages.may.set()
        peer.over()
        assert pages.asked == 1
        assert peer.failed == []


def test_what_is_no_request_spoils_no_answer_before_it() -> None:
    """An answer to it would be taken for that to the good request before it."""
    pages = Pages()
    with asking(pages) as peer:
        peer.ask(GET + b"\x00\x00\r\n\r\n")
        assert peer.rest() == b""
        pages.may.set()
        peer.over()
        assert peer.failed == []


def test_no_socket_is_opened_before_an_answer_has_ended() -> None:
    """The answer would go into the midst of its frames."""
    pages = Pages()
    with asking(pages) as peer:
        peer.ask(GET + UPGRADE)
        assert peer.rest() == b""
        pages.may.set()
        peer.over()
        assert pages.asked == 1
        assert peer.failed == []


def test_a_body_that_is_none_is_told_of() -> None:
    pages = Pages()
    with asking(pages) as peer:
        post = GET.replace(b"GET", b"POST")[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
        peer.ask(post)
        wait_for(lambda: pages.asked == 1, 10, "it is being answered")
        peer.ask(b"no length\r\n")
        assert peer.rest().startswith(b"HTTP/1.1 400 ")
        pages.may.set()
        peer.over()
        assert peer.failed == []
