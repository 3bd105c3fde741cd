"""The load generator counts what really came, whoever serves."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from benchmarks.bench.build import compiler
from benchmarks.bench.contenders.base import Running
from benchmarks.bench.load import LoadFailed, load

from .crooked import crooked

pytestmark = pytest.mark.skipif(not compiler(), reason="there is no C compiler")

PEOPLE = 5


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled once."""
    return tmp_path_factory.mktemp("bench")


def counted(work: Path, wrong: dict[int, str], *, window: int = 1, count: int = 10) -> Any:
    """What the generator says of messages to a room of five, sent by all in turn."""
    with crooked(wrong) as port:
        running = Running(port=port, path="/", pids=(), message="%S %P", steps=(("", "here"),))
        with load(work, running, "crooked", most=PEOPLE) as generator:
            generator.open(PEOPLE)
            return generator.send(count=count, ms=0, window=window, senders=PEOPLE)


def faults(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["lost"], answer["doubled"], answer["disordered"]


@pytest.mark.parametrize("window", [1, 4, 10])
def test_every_delivery_counts_once(work: Path, window: int) -> None:
    answer = counted(work, {}, window=window)
    assert answer["sent"] == 10
    assert answer["delivered"] == 10 * PEOPLE
    assert faults(answer) == (0, 0, 0)
    assert answer["bytes"] == 200
    assert 0 < answer["p50"] <= answer["p99"]


def test_a_message_that_one_did_not_get_is_lost(work: Path) -> None:
    assert faults(counted(work, {3: "lose"}, window=10)) == (1, 0, 0)


def test_a_message_that_one_got_twice_is_doubled(work: Path) -> None:
    assert faults(counted(work, {3: "double"})) == (0, 1, 0)


def test_messages_that_one_got_in_another_order_are_told(work: Path) -> None:
    answer = counted(work, {3: "swap"}, window=10)
    lost, doubled, disordered = faults(answer)
    assert (lost, doubled) == (0, 0)
    # Whoever came first made the order: the first connection broke it once, or four others did.
    assert disordered in (1, PEOPLE - 1)


def test_messages_joined_in_one_frame_are_two_deliveries(work: Path) -> None:
    answer = counted(work, {3: "join"}, window=10)
    assert answer["delivered"] == 10 * PEOPLE
    assert faults(answer) == (0, 0, 0)


def test_a_server_that_refuses_ends_the_measure_with_a_reason(work: Path) -> None:
    # What knows no WebSocket answers with a page.
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running = Running(port=server.server_port, path="/", pids=(), message="%S")
        try:
            with (
                load(work, running, "refused", most=PEOPLE) as generator,
                pytest.raises(LoadFailed, match="no upgrade: HTTP"),
            ):
                generator.open(PEOPLE)
        finally:
            server.shutdown()
            thread.join()
