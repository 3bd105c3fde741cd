"""The checker is proved first: a good history passes, and each invariant's breach is caught."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest

from tertulia.testing.checker import ALLOWANCE, Entry, Log, Verdict, check
from tertulia.testing.history import History, merged, recorded
from tertulia.testing.resources import WAITING

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
    line(19, "connected", BEA),
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


def verdict(history: list[dict[str, Any]], entries: list[Entry] = LOG) -> Verdict:
    return check(history, {"r": Log("r", entries, private=True)})


def judge(history: list[dict[str, Any]], entries: list[Entry] = LOG) -> set[str]:
    return verdict(history, entries).invariants()


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
    found = verdict(GOOD)
    assert found.violations == []
    assert (found.passed, found.acknowledged, found.removed) == (True, 3, 1)


def test_i1_an_acknowledged_message_that_is_not_in_the_log() -> None:
    history = [*without(op="recv", client="bea", seq=8)]
    assert judge(history, LOG[:-1]) == {"I1"}


def test_i1_an_acknowledged_seq_that_holds_another_message() -> None:
    assert "I1" in judge(changed({"op": "ok", "key": "k1"}, seq=4))


def test_i2_a_key_stored_twice() -> None:
    entries = [*LOG, Entry(9, "message.created", ANA, key="k1")]
    assert judge(GOOD, entries) == {"I2"}


def test_i2_an_event_applied_twice() -> None:
    assert judge([*GOOD, recv(32, BEA, 8)]) == {"I2"}


def test_i2_a_key_applied_twice_under_two_seqs() -> None:
    entries = [*LOG, Entry(9, "message.created", ANA, key="k1")]
    again = line(40, "recv", BEA, seq=9, kind="message.created", key="k1", author=ANA, via="live")
    found = verdict([*GOOD, again], entries).violations
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
    missing = changed({"op": "read", "client": "ana"}, messages=[], began=11.5)
    assert judge(missing) == set()


def test_i6_an_event_after_the_removal() -> None:
    assert judge([*GOOD, recv(32, EVE, 8)]) == {"I6"}


def test_i6_a_snapshot_after_the_removal() -> None:
    late = line(40, "load", EVE, began=39.0, head=8, low=9, messages=[])
    assert judge([*GOOD, late]) == {"I6"}


def test_i6_a_resume_after_the_removal() -> None:
    late = [line(40, "resumed", EVE, began=39.0, after=7, head=8), recv(41, EVE, 8, "resume")]
    assert judge([*GOOD, *late]) == {"I6"}


def test_i6_says_nothing_where_nobody_was_removed_who_listened() -> None:
    unseen = [good for good in GOOD if good["client"] != "eve"]
    assert (verdict(unseen).passed, verdict(unseen).removed) == (True, 0)
    assert "nobody removed" in verdict(unseen).explained()
    assert "0 leaked" in verdict(GOOD).explained()


def test_i6_whoever_comes_back_may_see_what_was_said_meanwhile() -> None:
    entries = [*LOG, Entry(9, "member.joined", ANA, member=EVE)]
    back = [
        line(40, "resumed", EVE, began=39.0, after=7, head=9),
        recv(41, EVE, 8, "resume"),
        line(42, "recv", EVE, seq=9, kind="member.joined", key=None, author=ANA, via="resume"),
    ]
    assert judge([*GOOD, *back], entries) == set()


def bea_follows(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """Bea is connected and has seen all there is when an answer comes at second 10."""
    return [
        line(1, "follow", BEA),
        line(1, "connected", BEA),
        line(2, "load", BEA, began=1.0, head=7, low=8, messages=[]),
        line(10, "ok", ANA, key="k4", seq=8),
        *more,
    ]


def test_i7_the_worst_time_to_converge_is_told() -> None:
    found = verdict(bea_follows(recv(13, BEA, 8)))
    assert (found.passed, found.converged) == (True, 3.0)


def test_i7_an_event_that_comes_late() -> None:
    assert judge(bea_follows(recv(16, BEA, 8))) == {"I7"}


def test_i7_an_event_that_never_comes() -> None:
    assert judge(bea_follows(line(12, "end", ANA, head=8))) == {"I7"}
    assert judge(bea_follows(recv(11, BEA, 8), line(12, "end", ANA, head=8))) == set()


def test_i7_one_who_never_gets_a_first_snapshot() -> None:
    assert judge([line(1, "follow", BEA), line(2, "end", ANA, head=8)]) == {"I7"}


def test_i7_the_time_away_does_not_count() -> None:
    resumed = line(61, "resumed", BEA, began=60.0, after=7, head=8)
    back = [line(60, "connected", BEA), resumed, recv(61, BEA, 8, "resume")]
    assert verdict(bea_follows(*back)).converged == 1.0
    assert judge(bea_follows(*back[1:])) == {"I7"}, "a connection that stayed is no excuse"


def test_i7_a_snapshot_in_the_place_of_what_was_missed() -> None:
    afresh = line(17, "load", BEA, began=16.0, head=8, low=9, messages=[])
    assert judge(bea_follows(afresh)) == {"I7"}


def test_i7_counts_from_when_what_was_broken_works_again() -> None:
    assert judge(bea_follows(line(40, "healed", ANA), recv(43, BEA, 8))) == set()
    assert judge(bea_follows(line(40, "healed", ANA), recv(46, BEA, 8))) == {"I7"}


def test_i7_nothing_is_expected_of_who_was_removed_or_went() -> None:
    gone = [
        line(22, "connected", EVE),
        line(23, "load", EVE, began=22.0, head=5, low=6, messages=[]),
        recv(24, EVE, 6),
        recv(25, EVE, 7),
        line(90, "end", ANA, head=8),
    ]
    assert judge(gone) == set()
    assert judge(bea_follows(line(11, "quit", BEA), line(90, "end", ANA, head=8))) == set()


def test_i8_a_send_that_is_never_answered() -> None:
    begun = line(31, "invoke", ANA, key="k5", text="five")
    assert judge([*GOOD, begun, line(32, "unknown", ANA, key="k5")]) == {"I8"}


def test_i8_a_send_that_is_refused_for_good_is_answered() -> None:
    begun = line(31, "invoke", ANA, key="k5", text="five")
    for final, found in ((True, set()), (False, {"I8"})):
        refused = line(32, "refused", ANA, key="k5", code="forbidden", final=final)
        assert judge([*GOOD, begun, refused]) == found


def test_i8_a_process_that_grows_beyond_the_allowance() -> None:
    def samples(*sizes: int) -> list[dict[str, Any]]:
        return [line(t, "memory", ANA, pid=7, bytes=size) for t, size in enumerate(sizes)]

    base = 90 << 20
    still_starting = samples(base // 2, base, base, base, base + ALLOWANCE)
    assert judge(still_starting) == set()
    assert verdict(still_starting).growth == ALLOWANCE
    assert judge(samples(base, base, base, base, base + ALLOWANCE + 1, base)) == {"I8"}


def test_i8_a_socket_for_which_too_much_waits() -> None:
    def waited(count: int) -> list[dict[str, Any]]:
        return [*GOOD, line(32, "waited", EVE, bytes=count, kernel=1_000_000)]

    assert judge(waited(WAITING + 1_000_000)) == set()
    assert judge(waited(WAITING + 1_000_001)) == {"I8"}


def test_a_history_that_goes_back_in_time_is_refused() -> None:
    with pytest.raises(ValueError, match="back in time"):
        check([line(2, "follow", BEA), line(1, "follow", BEA)], {})


def test_a_room_without_a_log_is_no_proof() -> None:
    assert check(GOOD, {}).invariants() >= {"I1"}


def test_a_history_in_a_file_is_the_same_as_one_in_memory(tmp_path: Path) -> None:
    kept, filed = History(), History(tmp_path / "history.jsonl")
    for history in (kept, filed):
        history.add("follow", "bea", BEA, "r")
        history.add("ok", "ana", ANA, "r", key="k1", seq=3)
    assert filed.lines == []
    assert filed.acknowledged() == kept.acknowledged() == 1
    filed.close()
    for ours in (list(filed), list(recorded(tmp_path / "history.jsonl"))):
        assert [{**mine, "t": 0} for mine in ours] == [{**mine, "t": 0} for mine in kept]
    both = list(merged(kept, filed))
    assert [one["t"] for one in both] == sorted(one["t"] for one in both)
    assert len(both) == 4


def test_checking_takes_a_time_in_proportion_to_the_history() -> None:
    """By counting the lines of code that run, so that a busy machine changes nothing."""
    small, large = _work(500), _work(4_000)
    assert large < small * 8 * 1.5, (small, large)


def _work(messages: int) -> int:
    """How many lines of the checker run over a history of so many messages."""
    entries = [Entry(n, "message.created", ANA, key=f"k{n}") for n in range(1, messages + 1)]
    history = [line(0, "load", BEA, began=0.0, head=0, low=1, messages=[])]
    for n in range(1, messages + 1):
        history += [line(n, "invoke", ANA, key=f"k{n}", text=""),
                    line(n, "ok", ANA, key=f"k{n}", seq=n),
                    line(n, "recv", BEA, seq=n, kind="message.created", key=f"k{n}", author=ANA,
                         via="live")]  # fmt: skip
        if n % 10 == 0:
            newest = [[s, f"k{s}", ANA] for s in range(max(1, n - 20), n + 1)]
            history.append(line(n, "read", ANA, began=float(n), head=n, low=newest[0][0],
                                messages=newest))  # fmt: skip
    ran = 0

    def count(frame: Any, event: str, _: Any) -> Any:
        nonlocal ran
        ran += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        found = check(history, {"r": Log("r", entries)})
    finally:
        sys.settrace(before)
    assert found.passed, found.explained()
    return ran
