"""Who sees figures, and what is answered to an address that asks for something else."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia.testing.client import new_key
from tests.security.web import Visitor
from tests.support_desk.desk import Desk

from .numbers import PAGE, Reader, measure, put

NONE = "You answer in no inbox"


async def test_only_agents_see_figures(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    put(desk, room, measure("answer", "2026-03-10T12:00:00+00:00", 10, agent=ana.id))
    stranger = Reader(desk, "stranger")
    for query in ({}, {"inbox": desk.inbox}, {"agent": ana.id}, {"period": "nonsense"}):
        answer = stranger.ask(**query)
        assert (answer.status, NONE in answer.text) == (200, True), query
        assert "waiting" not in answer.text.lower()
        assert desk.people["ana"].name not in answer.text
    assert stranger.ask(format="csv", inbox=desk.inbox).status == 404
    with Visitor(desk.installation.here) as nobody:
        for query in ("", "?format=csv"):
            answer = nobody.get(PAGE + query)
            assert answer.status == 302
            assert answer.headers["location"].startswith("/accounts/login/?next=")
    # What opens the socket opens no page: neither an agent's token nor a visitor's.
    for token in (desk.people["ana"].token, desk.tokens[0]):
        with Visitor(desk.installation.here, Authorization=f"Bearer {token}") as bearer:
            assert bearer.get(PAGE).status == 302


async def test_another_inbox_is_as_one_that_does_not_exist(everywhere: Desk) -> None:
    desk = everywhere
    visitor, foreign = await desk.visitor(), await desk.agent("foreign")
    room = await desk.conversation(visitor, "hello")
    put(
        desk,
        room,
        measure("answer", "2026-03-10T12:00:00+00:00", 77, agent=foreign.id, inbox=desk.other),
    )
    ana = Reader(desk)
    for field, there, made_up in (
        ("inbox", desk.other, "x" * len(desk.other)),
        ("agent", foreign.id, "x" * len(foreign.id)),
    ):
        for more in ({}, {"format": "csv"}):
            asked, absent = (ana.ask(**{field: one}, **more) for one in (there, made_up))
            assert (asked.status, absent.status) == (404, 404)
            assert asked.text.replace(there, "") == absent.text.replace(made_up, "")
    everything = ana.rows(period="own", first="2026-03-10", last="2026-03-10")
    assert everything[0]["Answers"] == "0"
    assert desk.people["foreign"].name not in ana.ask().text


async def test_who_answers_no_longer_sees_nothing_more(everywhere: Desk) -> None:
    desk = everywhere
    ana = Reader(desk)
    assert ana.ask(inbox=desk.inbox).status == 200
    name = desk.people["ana"].name
    desk.shell(f"""
for agent in Agent.objects.filter(inbox=inbox, participant__name={name!r}):
    agent.delete()
""")
    assert NONE in ana.ask(inbox=desk.inbox).text
    assert ana.ask(inbox=desk.inbox, format="csv").status == 404


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"period": "tomorrow"}, "period"),
        ({"period": "own"}, "Name the first and the last day."),
        ({"period": "own", "first": "2026-03-10"}, "Name the first and the last day."),
        ({"period": "own", "first": "10/03/2026", "last": "2026-03-11"}, "such as 2026-01-31"),
        ({"period": "own", "first": "2026-03-10", "last": "2026-03-09"}, "before the first"),
        ({"period": "own", "first": "2024-01-01", "last": "2026-01-01"}, "Ask for 366 days"),
        ({"period": "own", "first": "0001-01-01", "last": "0001-01-02"}, "from the year 2000"),
        ({"period": "own", "first": "9999-12-30", "last": "9999-12-31"}, "that has come"),
        ({"time": "mine"}, "mine"),
        ({"rows": "everything", "format": "csv"}, "everything"),
        ({"format": "pdf"}, "pdf"),
        ({"agent": "x" * 41}, ""),
    ],
)
async def test_what_cannot_be_understood_is_said(
    desk: Desk, query: dict[str, Any], told: str
) -> None:
    answer = Reader(desk).ask(**query)
    assert answer.status in ((404,) if "agent" in query else (400,))
    assert told in answer.text


async def test_it_is_said_in_the_language_of_who_asks(desk: Desk) -> None:
    ana = Reader(desk)
    desk.shell(
        f"Participant.objects.filter(name={desk.people['ana'].name!r}).update(language='es')"
    )
    wrong = {"period": "own", "first": "2026-03-10", "last": "2026-03-09"}
    assert "El último día es anterior al primero." in ana.ask(**wrong).text
    assert "Cifras" in ana.ask().text
    assert list(ana.rows("agents")) == []
    assert "Primer día" in ana.rows()[0]


async def test_odd_addresses_break_nothing(desk: Desk) -> None:
    ana = Reader(desk)
    for query in (
        {"period": "30\0"},
        {"inbox": "\0"},
        {"agent": " "},
        {"first": "nonsense", "period": "7"},
        {"unknown": "'\"><script>alert(1)</script>"},
    ):
        answer = ana.ask(**query)
        assert answer.status == 200, query
        assert "<script>alert" not in answer.text
    assert ana.ask(inbox="'><script>alert(1)</script>").status == 404


async def test_nothing_is_changed_by_looking(desk: Desk) -> None:
    visitor, ana = await desk.visitor(), await desk.agent()
    room = await desk.conversation(visitor, "hello")
    before = await desk.state(ana, room)
    assert Reader(desk).ask().status == 200
    assert await desk.state(ana, room) == before
    # The same message again, by its key: it has been said and measured once.
    key = new_key()
    for _ in range(2):
        await ana.cmd("message.send", room=room, key=key, text="hello")
    told = desk.shell(f"print(Measure.objects.filter(conversation__room__slug={room!r}).count())")
    assert told.strip().splitlines()[-1] == "3"


async def test_what_is_wrong_elsewhere_leaves_the_agent_chosen(desk: Desk) -> None:
    ana = await desk.agent()
    wrong = {"period": "own", "first": "2026-03-10", "last": "2026-03-09"}
    text = Reader(desk).ask(**wrong, agent=ana.id).text
    assert f'<option value="{ana.id}" selected>' in text
    bea = (await desk.agent("bea")).id
    assert f'<option value="{bea}">' in text
    stranger = (await desk.agent("stranger")).id
    assert stranger not in Reader(desk).ask(**wrong, agent=stranger).text
