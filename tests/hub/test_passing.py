"""Presence, typing and heartbeats: nothing of them is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tertulia.hub import typing
from tertulia.protocol.events import Person

from .support import ROOM, Stage, heard, settle


def names(frame: dict[str, Any]) -> list[str]:
    return [person["name"] for person in frame["here"]]


async def test_who_is_here_is_told_once_for_a_crowd() -> None:
    stage = Stage()
    ana = stage.listen("ana")
    for number in range(20):
        stage.listen(f"p{number:02}")
    await settle(0.15)
    told = heard(ana).of_type("presence.changed")
    assert len(told) == 1
    assert len(names(told[0])) == 21


async def test_a_person_with_two_tabs_is_here_once_and_goes_with_the_last() -> None:
    stage = Stage()
    ana = stage.listen("ana")
    first, second = stage.listen("bea"), stage.listen("bea")
    await settle(0.15)
    assert names(heard(ana).of_type("presence.changed")[-1]) == ["ana", "bea"]
    stage.hub.drop(first)
    await settle(1.2)
    assert len(heard(ana).of_type("presence.changed")) == 1
    stage.hub.drop(second)
    await settle(1.2)
    assert names(heard(ana).of_type("presence.changed")[-1]) == ["ana"]


async def test_a_second_tab_learns_who_is_here() -> None:
    stage = Stage()
    stage.listen("ana")
    await settle(0.15)
    tab = stage.listen("ana")
    await settle(0.15)
    assert names(heard(tab).of_type("presence.changed")[-1]) == ["ana"]


async def test_who_comes_back_at_once_learns_who_is_here() -> None:
    stage = Stage()
    stage.listen("bea")
    before = stage.listen("ana")
    await settle(0.15)
    stage.hub.drop(before)
    again = stage.listen("ana")
    await settle(1.2)
    assert names(heard(again).of_type("presence.changed")[-1]) == ["ana", "bea"]


async def test_people_of_another_process_are_here_until_their_lease_ends() -> None:
    stage = Stage()
    ana = stage.listen("ana")
    room = stage.hub.rooms[ROOM]
    room.presence.lease("other", [Person("bea", "bea", "member", None)], 1, stage.hub.loop.time())
    await settle(0.15)
    assert names(heard(ana).of_type("presence.changed")[-1]) == ["ana", "bea"]
    room.presence.expire(stage.hub.loop.time() + 60)
    await settle(1.2)
    assert names(heard(ana).of_type("presence.changed")[-1]) == ["ana"]


async def test_above_a_hundred_members_only_a_number_is_told() -> None:
    stage = Stage()
    connection = stage.connect("ana")
    subscription = stage.hub.subscribe(connection, ROOM, "lobby")
    stage.hub.go_live(subscription, 0, "member", members=101)
    await settle(0.15)
    assert heard(connection).of_type("presence.changed")[-1]["here"] == 1


async def test_typing_is_told_to_the_others_once() -> None:
    stage = Stage()
    ana, bea = stage.listen("ana"), stage.listen("bea")
    room = stage.hub.rooms[ROOM]
    assert ana.person is not None
    room.typing.start(ana.person)
    room.typing.start(ana.person)
    await settle()
    assert len(heard(bea).of_type("typing.started")) == 1
    assert heard(ana).of_type("typing.started") == []
    stage.hub.drop(ana)
    await settle()
    assert len(heard(bea).of_type("typing.stopped")) == 1


async def test_who_writes_on_is_told_of_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever heard of it believes it for some seconds only, and others have come in since."""
    monkeypatch.setattr(typing, "TOLD_AGAIN", 0.1)
    stage = Stage()
    ana, bea = stage.listen("ana"), stage.listen("bea")
    room = stage.hub.rooms[ROOM]
    assert ana.person is not None
    for _ in range(3):
        room.typing.start(ana.person)
        room.typing.start(ana.person)
        await settle(0.15)
    assert len(heard(bea).of_type("typing.started")) == 3
    room.typing.stop(ana.person)
    await settle()
    assert len(heard(bea).of_type("typing.stopped")) == 1


@pytest.mark.parametrize("classic", [False, True])
async def test_every_connection_has_its_heartbeat_and_ping(classic: bool) -> None:
    stage = Stage(heartbeat=5)
    ana = stage.connect("ana", classic=classic)
    for _ in range(10):
        ana.sign_of_life()
        stage.hub.tick()
    assert heard(ana).pings == 2
    assert len(heard(ana).of_type("heartbeat")) == (0 if classic else 2)


async def test_silence_for_two_heartbeats_is_4408() -> None:
    stage = Stage(heartbeat=2)
    ana = stage.connect("ana")
    for _ in range(3):
        stage.hub.tick()
        await settle(0.01)
    assert heard(ana).closed is None
    for _ in range(3):
        stage.hub.tick()
        await settle(0.01)
    assert heard(ana).closed is not None
    assert heard(ana).closed[0] == 4408


async def test_silence_counts_from_what_was_heard_last() -> None:
    stage = Stage(heartbeat=4)
    ana = stage.connect("ana")
    for second in range(1, 13):
        stage.hub.tick()
        if second == 5:
            ana.sign_of_life()
    # Eight seconds, of which the last heartbeat, at 12, has seen seven; the next is at 16.
    assert heard(ana).closed is None
    stage.hub.tick()
    assert heard(ana).closed is not None
