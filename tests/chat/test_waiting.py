"""Heartbeats, silence and deadlines: `waits.py` waits, these say what must have come of it."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from .waits import HEARTBEAT, NEW_NAME


@pytest.fixture(scope="session")
def outcome(waits: Future[dict[str, Any]]) -> dict[str, Any]:
    """What came of the waits, which began with the first test of this folder."""
    return waits.result(timeout=180)


def result(outcome: dict[str, Any], name: str) -> Any:
    if isinstance(outcome[name], BaseException):
        raise outcome[name]
    return outcome[name]


def test_a_heartbeat_comes_every_25_seconds(outcome: dict[str, Any]) -> None:
    seen = result(outcome, "heartbeats")
    assert len(seen) == 2
    assert all(
        0 < later - earlier <= HEARTBEAT + 3
        for earlier, later in zip([0, *seen], seen, strict=False)
    )


def test_no_sign_of_life_for_two_heartbeats_closes_with_4408(outcome: dict[str, Any]) -> None:
    code, seconds = result(outcome, "nobody")
    assert code == 4408
    assert 1.5 * HEARTBEAT <= seconds <= 3 * HEARTBEAT + 3


def test_a_pong_is_a_sign_of_life(outcome: dict[str, Any]) -> None:
    assert result(outcome, "pongs") is True


def test_who_says_nothing_within_10_seconds_is_closed_with_4401(outcome: dict[str, Any]) -> None:
    code, seconds = result(outcome, "who")
    assert code == 4401
    assert 8 <= seconds <= 14


def test_a_deleted_session_ends_its_sockets_within_a_minute(outcome: dict[str, Any]) -> None:
    code, seconds = result(outcome, "session")
    assert code == 4401
    assert seconds <= 61


def test_each_heartbeat_renews_the_connect_token_which_is_good_for_a_minute(
    outcome: dict[str, Any],
) -> None:
    of_welcome, of_heartbeat = result(outcome, "token")
    assert of_welcome == NEW_NAME
    assert of_heartbeat != NEW_NAME
