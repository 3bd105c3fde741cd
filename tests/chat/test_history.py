"""Pages of history in every direction."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shapes import check_message, check_reply

COUNT = 12


@pytest.fixture
async def spoken(talk: Any) -> list[int]:
    """The seqs of twelve messages, with other events in between."""
    seqs = []
    for number in range(COUNT):
        seqs.append((await talk.ana.say(talk.room, f"line {number}"))["seq"])
        if number % 3 == 0:
            fields = {"room": talk.room, "seq": seqs[-1]}
            await talk.bea.cmd("reaction.add", **fields, emoji="👍")
    return seqs


async def page(talk: Any, **fields: Any) -> tuple[list[int], bool, bool]:
    """The seqs of a page, and whether there are more before and after it."""
    result = check_reply(await talk.bea.request("history.list", room=talk.room, **fields))
    assert set(result) == {"messages", "head", "more_before", "more_after"}
    for message in result["messages"]:
        check_message(message)
    seqs = [message["seq"] for message in result["messages"]]
    assert seqs == sorted(set(seqs))
    return seqs, bool(result["more_before"]), bool(result["more_after"])


async def test_after_goes_forward_and_excludes(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, after=spoken[2], limit=4) == (spoken[3:7], True, True)


async def test_after_the_beginning(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, after=0, limit=5) == (spoken[:5], False, True)


async def test_after_reaches_the_end(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, after=spoken[8], limit=50) == (spoken[9:], True, False)


async def test_after_the_last_is_empty(talk: Any, spoken: list[int]) -> None:
    seqs, before, after = await page(talk, after=spoken[-1])
    assert (seqs, after) == ([], False)
    assert before is True


async def test_before_goes_back_and_excludes(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, before=spoken[6], limit=4) == (spoken[2:6], True, True)


async def test_before_reaches_the_beginning(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, before=spoken[3], limit=50) == (spoken[:3], False, True)


async def test_before_the_first_is_empty(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, before=spoken[0]) == ([], False, True)


async def test_exactly_as_many_as_asked_for_leaves_none_more(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, after=0, limit=COUNT) == (spoken, False, False)
    assert await page(talk, before=10_000, limit=COUNT) == (spoken, False, False)


async def test_around_includes_its_middle(talk: Any, spoken: list[int]) -> None:
    seqs, before, after = await page(talk, around=spoken[6], limit=5)
    assert spoken[6] in seqs
    assert len(seqs) == 5
    start = spoken.index(seqs[0])
    assert seqs == spoken[start : start + 5]
    assert 1 <= seqs.index(spoken[6]) <= 3
    assert (before, after) == (True, True)


@pytest.mark.parametrize("end", [0, -1])
async def test_around_an_end(talk: Any, spoken: list[int], end: int) -> None:
    seqs, before, after = await page(talk, around=spoken[end], limit=5)
    assert spoken[end] in seqs
    assert before is (seqs[0] != spoken[0])
    assert after is (seqs[-1] != spoken[-1])


async def test_around_with_a_limit_of_one(talk: Any, spoken: list[int]) -> None:
    assert await page(talk, around=spoken[5], limit=1) == ([spoken[5]], True, True)


async def test_pages_join_without_gap_or_repetition(talk: Any, spoken: list[int]) -> None:
    forward: list[int] = []
    more = True
    while more:
        seqs, _, more = await page(talk, after=forward[-1] if forward else 0, limit=5)
        forward += seqs
    backward: list[int] = []
    more = True
    while more:
        seqs, more, _ = await page(talk, before=backward[0] if backward else 10_000, limit=5)
        backward = seqs + backward
    assert forward == backward == spoken


async def test_fifty_are_given_if_nothing_is_said(talk: Any) -> None:
    for number in range(60):
        await talk.ana.say(talk.room, f"{number}")
    assert len((await page(talk, after=0))[0]) == 50


@pytest.mark.parametrize(
    "two", [{"before": 5, "after": 2}, {"before": 5, "around": 2}, {"after": 5, "around": 2}]
)
async def test_only_one_direction_at_a_time(talk: Any, two: dict[str, int]) -> None:
    assert await talk.ana.refused("history.list", room=talk.room, **two) == "invalid"


async def test_the_head_is_told(talk: Any, spoken: list[int]) -> None:
    result = await talk.ana.cmd("history.list", room=talk.room, after=0, limit=1)
    assert result["head"] == spoken[-1]


async def test_an_empty_room_has_an_empty_history(talk: Any) -> None:
    assert await page(talk, after=0) == ([], False, False)


async def test_history_shows_messages_as_they_stand(talk: Any) -> None:
    sent = await talk.ana.say(talk.room, "first")
    fields = {"room": talk.room, "seq": sent["seq"]}
    edit = await talk.ana.cmd("message.edit", **fields, text="second")
    result = await talk.bea.cmd("history.list", room=talk.room, after=0)
    (message,) = result["messages"]
    assert (message["text"], message["version"]) == ("second", edit["event"])
