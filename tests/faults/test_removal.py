"""Somebody removed while others talk receives nothing behind his removal."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.testing.client import Client

from .conftest import Make

TRIALS = 12


@pytest.mark.parametrize("mode", ["embedded", "scaled", "scaled-core"])
@pytest.mark.parametrize("how", ["removed", "leaves"])
async def test_no_event_behind_a_removal_in_a_burst(make: Make, mode: str, how: str) -> None:
    installation = make(mode)
    (_, one), (_, two) = installation.here.people(2)
    async with (
        await Client.connect(installation.here.ws, token=one) as owner,
        await Client.connect(installation.there.ws, token=two) as member,
        await Client.connect(installation.here.ws, token=two) as tab,
    ):
        removals = {}
        for trial in range(TRIALS):
            room = await owner.create("Burst", "private", members=[member.id])
            for client in (owner, member, tab):
                await client.subscribe(room)

            async def burst(room: str = room) -> None:
                await asyncio.gather(*(owner.say(room, f"{n}") for n in range(40)))

            async def end(room: str = room, trial: int = trial) -> int:
                await asyncio.sleep(trial * 0.001)
                if how == "leaves":
                    return int((await member.cmd("room.leave", room=room))["event"])
                fields = {"room": room, "member": member.id}
                return int((await owner.cmd("member.remove", **fields))["event"])

            _, removals[room] = await asyncio.gather(burst(), end())
            await owner.say(room, "are we alone?")
        for client in (member, tab):
            for room in removals:
                await client.expect("room.left", room=room)
                assert await client.refused("room.subscribe", room=room) == "not_found"
            await asyncio.sleep(0.5)
            await client.cmd("ping")
            for event in client.events:
                assert event["seq"] <= removals[event["room"]], event


async def test_subscribing_while_being_removed_leaks_nothing(make: Make) -> None:
    """The race of a subscription with a removal: either all before it, or not_found."""
    installation = make("embedded")
    (_, one), (_, two) = installation.here.people(2)
    async with (
        await Client.connect(installation.here.ws, token=one) as owner,
        await Client.connect(installation.here.ws, token=two) as member,
    ):
        for trial in range(25):
            room = await owner.create("Race", "private", members=[member.id])

            async def subscribe(room: str = room, trial: int = trial) -> None:
                await asyncio.sleep(trial % 5 * 0.0005)
                await member.request("room.subscribe", room=room)

            fields = {"room": room, "member": member.id}
            removed, _ = await asyncio.gather(owner.cmd("member.remove", **fields), subscribe())
            sent = await owner.say(room, "secret")
            assert sent["seq"] > removed["event"]
        await member.silence(
            lambda f: f["type"] == "message.created" and f["message"]["text"] == "secret", 1.0
        )
