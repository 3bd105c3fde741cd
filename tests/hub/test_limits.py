"""Token buckets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.hub.limits import Limiter, Rate


def test_the_burst_is_free_and_then_the_rate_holds() -> None:
    limiter = Limiter({"send": Rate(burst=3, per_second=2)})
    assert [limiter.take("send", "ana", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.take("send", "ana", 0.0) == pytest.approx(0.5)
    assert limiter.take("send", "bea", 0.0) == 0.0
    assert limiter.take("send", "ana", 0.6) == 0.0


def test_a_whole_burst_is_there_on_a_machine_that_has_run_for_months() -> None:
    limiter = Limiter({"command": Rate(burst=1_000, per_second=200)})
    now = 1e7
    assert {limiter.take("command", "ana", now) for _ in range(1_000)} == {0.0}
    assert limiter.take("command", "ana", now) == pytest.approx(1 / 200, rel=0.01)


def test_what_is_given_back_may_be_taken_again() -> None:
    limiter = Limiter({"send": Rate(burst=1, per_second=1)})
    assert limiter.take("send", "ana", 0.0) == 0.0
    limiter.take("send", "ana", 0.0, amount=-1.0)
    assert limiter.take("send", "ana", 0.0) == 0.0
    assert limiter.take("send", "ana", 0.0) == pytest.approx(1.0)


def test_full_buckets_are_forgotten_and_others_kept() -> None:
    limiter = Limiter({"send": Rate(burst=2, per_second=1)})
    limiter.take("send", "ana", 0.0)
    limiter.take("send", "bea", 0.0)
    limiter.take("send", "bea", 0.0)
    limiter.prune(1.0)
    assert len(limiter) == 1
    limiter.prune(2.0)
    assert len(limiter) == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_never_more_than_burst_and_rate(gaps: list[float]) -> None:
    limiter = Limiter({"send": Rate(burst=5, per_second=3)})
    now, taken = 0.0, 0
    for gap in gaps:
        now += gap
        taken += limiter.take("send", "ana", now) == 0.0
    assert taken <= 5 + 3 * now + 1e-5
