"""The order of one room's events, whatever order their news come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tertulia.hub.sequencer import HELD_LIMIT, Sequencer

from .support import event


def seqs(events: list) -> list[int]:
    return [item.seq for item in events]


def test_the_next_event_is_passed_on_at_once() -> None:
    sequencer = Sequencer()
    sequencer.start(4)
    assert seqs(sequencer.offer([event(5)])) == [5]


def test_what_is_ahead_of_a_gap_is_held_until_the_gap_closes() -> None:
    sequencer = Sequencer()
    sequencer.start(0)
    assert sequencer.offer([event(3), event(2)]) == []
    assert sequencer.waiting
    assert seqs(sequencer.offer([event(1)])) == [1, 2, 3]
    assert not sequencer.waiting


def test_before_the_start_is_known_nothing_is_passed_on() -> None:
    sequencer = Sequencer()
    assert sequencer.offer([event(5), event(6), event(7)]) == []
    assert seqs(sequencer.start(5)) == [6, 7]


def test_what_is_held_is_bounded() -> None:
    sequencer = Sequencer()
    sequencer.start(0)
    sequencer.offer([event(seq) for seq in range(2, HELD_LIMIT + 500)])
    # The gap closes; what was dropped is a gap again, for the log to fill.
    passed = sequencer.offer([event(1)])
    assert len(passed) <= HELD_LIMIT + 1
    assert seqs(passed) == list(range(1, len(passed) + 1))


def test_the_missing_events_are_taken_however_much_is_held() -> None:
    sequencer = Sequencer()
    sequencer.start(0)
    sequencer.offer([event(seq) for seq in range(600, 600 + 2 * HELD_LIMIT)])
    # A repair reads what is missing, in pages.
    passed = sequencer.offer([event(seq) for seq in range(1, 501)])
    passed += sequencer.offer([event(seq) for seq in range(501, 1001)])
    assert seqs(passed) == list(range(1, 600 + HELD_LIMIT))


@given(st.permutations(range(1, 30)), st.lists(st.integers(1, 29)), st.integers(0, 10))
def test_any_order_with_repeats_gives_each_event_once_in_order(
    order: list[int], repeats: list[int], start: int
) -> None:
    sequencer = Sequencer()
    sequencer.start(start)
    passed: list[int] = []
    for seq in [*order, *repeats]:
        passed += seqs(sequencer.offer([event(seq)]))
    assert passed == list(range(start + 1, 30))
