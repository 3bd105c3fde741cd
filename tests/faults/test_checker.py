"""The checker is proved first: a good history passes, and each invariant's breach is caught."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tertulia.testing.checker import Entry, Log, check

ANA, BEA, EVE = "ana-id", "bea-id", "eve-id"

LOG = [
    Entry(1, "member.joined", ANA, member=ANA),
    Entry(2, "member.joined", BEA, member=BEA),
    Entry(3, "message.created", ANA, key="k1"),
    Entry(4, "message.created", ANA, key="k2"),
    Entry(5, "member.joined", ANA, member=EVE),
    Entry(6, "message.created", BEA, key="k3"),
    Entry(7, "member.left", ANA, member=EVE),
    Entry(8, "message.created", ANA, key="k4"),
]


def line(t: int, op: str, person: str, **fields: Any) -> dict[str, Any]:
    client = {ANA: "ana", BEA: "bea", EVE: "eve"}[person]
    return {"op": op, "t": float(t), "client": client, "person": person, "room": "r", **fields}


def recv(t: int, person: str, seq: int, via: str = "live") -> dict[str, Any]:
    entry = LOG[seq - 1]
    return line(
        t, "recv", person, seq=seq, kind=entry.kind, key=entry.key, author=entry.actor, via=via
    )


GOOD = [
    line(1, "load", BEA, began=0.5, head=2, low=1, messages=[]),
    line(10, "invoke", ANA, key="k1", text="one"),
    recv(11, BEA, 3),
    line(12, "ok", ANA, key="k1", seq=3),
    line(13, "invoke", ANA, key="k2", text="two"),
    line(14, "unknown", ANA, key="k2"),
    line(15, "ok", ANA, key="k2", seq=4),
    line(20, "resumed", BEA, began=19.0, after=3, head=5),
    recv(21, BEA, 4, "resume"),
    recv(22, BEA, 5, "resume"),
    line(23, "load", EVE, began=22.0, head=5, low=1, messages=[[3, "k1", ANA], [4, "k2", ANA]]),
    recv(24, BEA, 6),
    recv(24, EVE, 6),
    recv(25, BEA, 7),
    recv(25, EVE, 7),
    line(26, "read", ANA, began=25.5, head=7, low=1,
         messages=[[3, "k1", ANA], [4, "k2", ANA], [6, "k3", BEA]]),
    line(30, "ok", ANA, key="k4", seq=8),
    recv(31, BEA, 8),
]  # fmt: skip


def judge(history: list[dict[str, Any]], entries: list[Entry] = LOG) -> set[str]:
    return {v.invariant for v in check(history, {"r": Log("r", entries, private=True)})}


def without(**fields: Any) -> list[dict[str, Any]]:
    """The good history without the lines that have these fields."""
    return [good for good in GOOD if any(good.get(name) != value for name, value in fields.items())]


def changed(where: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    """The good history with the first matching line changed."""
    history = copy.deepcopy(GOOD)
    found = next(h for h in history if all(h.get(name) == value for name, value in where.items()))
    found.update(fields)
    return history


def test_a_good_history_passes() -> None:
    assert check(GOOD, {"r": Log("r", LOG, private=True)}) == []


def test_i1_an_acknowledged_message_that_is_not_in_the_log() -> None:
    history = [*without(op="recv", client="bea", seq=8)]
    assert judge(history, LOG[:-1]) == {"I1"}


def test_i1_an_acknowledged_seq_that_holds_another_message() -> None:
    assert "I1" in judge(changed({"op": "ok", "key": "k1"}, seq=4))


def test_i2_a_key_stored_twice() -> None:
    entries = [*LOG, Entry(9, "message.created", ANA, key="k1")]
    assert judge(GOOD, entries) == {"I2"}


def test_i2_an_event_applied_twice() -> None:
    assert judge([*GOOD, recv(40, BEA, 8)]) == {"I2"}


def test_i2_a_key_applied_twice_under_two_seqs() -> None:
    entries = [*LOG, Entry(9, "message.created", ANA, key="k1")]
    again = line(40, "recv", BEA, seq=9, kind="message.created", key="k1", author=ANA, via="live")
    found = check([*GOOD, again], {"r": Log("r", entries, private=True)})
    assert any(v.invariant == "I2" and "applied" in v.what for v in found)


def test_i2_a_key_twice_in_a_snapshot() -> None:
    doubled = [[3, "k1", ANA], [3, "k1", ANA], [4, "k2", ANA]]
    assert judge(changed({"op": "load", "client": "eve"}, messages=doubled)) == {"I2"}


def test_i3_two_events_in_the_other_order() -> None:
    swapped = [
        line(1, "load", BEA, began=0.5, head=6, low=7, messages=[]),
        recv(2, BEA, 8),
        recv(3, BEA, 7),
    ]
    assert "I3" in judge(swapped)


def test_i3_another_message_under_the_same_seq() -> None:
    assert judge(changed({"op": "recv", "client": "bea", "seq": 6}, key="other")) == {"I3"}


def test_i3_an_event_that_the_log_does_not_have() -> None:
    extra = line(40, "recv", BEA, seq=9, kind="message.created", key="k9", author=ANA, via="live")
    assert judge([*GOOD, extra]) == {"I3"}


def test_i4_a_gap_in_the_log() -> None:
    assert "I4" in judge([], [*LOG[:5], *LOG[6:]])


def test_i4_an_event_left_out_by_a_client() -> None:
    assert judge(without(op="recv", client="bea", seq=6)) == {"I4"}


def test_i5_an_answered_message_missing_from_a_later_read() -> None:
    where = {"op": "read", "client": "ana"}
    assert judge(changed(where, messages=[[3, "k1", ANA], [6, "k3", BEA]])) == {"I5"}


def test_i5_a_later_read_with_a_head_below_the_answer() -> None:
    assert judge(changed({"op": "read", "client": "ana"}, head=3)) == {"I5"}


def test_i5_a_read_that_began_before_the_answer_may_miss_it() -> None:
    missing = changed({"op": "read", "client": "ana"}, messages=[], began=11.0)
    assert judge(missing) == set()


@pytest.mark.parametrize("via", ["live"])
def test_i6_an_event_after_the_removal(via: str) -> None:
    assert judge([*GOOD, recv(40, EVE, 8, via)]) == {"I6"}


def test_i6_a_snapshot_after_the_removal() -> None:
    late = line(40, "load", EVE, began=39.0, head=8, low=9, messages=[])
    assert judge([*GOOD, late]) == {"I6"}


def test_i6_a_resume_after_the_removal() -> None:
    late = [line(40, "resumed", EVE, began=39.0, after=7, head=8), recv(41, EVE, 8, "resume")]
    assert judge([*GOOD, *late]) == {"I6"}


def test_i6_whoever_comes_back_may_see_what_was_said_meanwhile() -> None:
    entries = [*LOG, Entry(9, "member.joined", ANA, member=EVE)]
    back = [
        line(40, "resumed", EVE, began=39.0, after=7, head=9),
        recv(41, EVE, 8, "resume"),
        line(42, "recv", EVE, seq=9, kind="member.joined", key=None, author=ANA, via="resume"),
    ]
    assert judge([*GOOD, *back], entries) == set()
