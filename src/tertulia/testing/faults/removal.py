"""Somebody is removed while others talk: nothing behind his removal reaches him."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Set
from dataclasses import dataclass

from ..checker import DEADLINE, Violation
from ..client import Client, Frame
from ..installation import Installation
from .registry import fault
from .stage import Stage

# Messages around each removal, and races that run at the same time.
BURST = 12
SIDE_BY_SIDE = 8
# After so many races everybody's frames are looked at and forgotten.
BATCH = 200


@fault("removed-in-a-burst", reach="10,000 trials, nothing behind a removal is seen", takes=700)
async def removed_in_a_burst(stage: Stage) -> None:
    """Somebody is removed, or leaves, or subscribes while he is removed, in a burst of messages."""
    count = stage.choose(short=60, quick=400, full=10_000)
    # Both of channels-redis' layers; SQLite's one process needs none.
    layers = ("pubsub", "core") if stage.mode == "scaled" else ("pubsub",)
    stage.due = count // len(layers) * len(layers)
    for layer in layers:
        installation = stage.installation(servers=2, env={"TERTULIA_LAYER": layer})
        (_, one), (_, two) = await asyncio.to_thread(installation.here.people, 2)
        async with (
            await Client.connect(installation.here.ws, token=one) as owner,
            await Client.connect(installation.there.ws, token=two) as member,
            await Client.connect(installation.here.ws, token=two) as tab,
        ):
            await _races(stage, Cast(installation, owner, member, tab), count // len(layers))


@dataclass
class Cast:
    """Who takes part: `member` and `tab` are connections of one person, to two processes."""

    installation: Installation
    owner: Client
    member: Client
    tab: Client


async def _races(stage: Stage, cast: Cast, count: int) -> None:
    for first in range(0, count, BATCH):
        removals: dict[str, int] = {}
        numbers = iter(range(first, min(first + BATCH, count)))

        await asyncio.gather(*(_row(stage, cast, numbers, removals) for _ in range(SIDE_BY_SIDE)))
        await _judge(stage, cast, removals)


async def _row(stage: Stage, cast: Cast, numbers: Iterator[int], removals: dict[str, int]) -> None:
    """One race after the other, as long as there are numbers; several rows share them."""
    for number in numbers:
        room, seq = await _race(stage, cast, number)
        removals[room] = seq
        stage.trial()


async def _race(stage: Stage, cast: Cast, number: int) -> tuple[str, int]:
    """One room with one removal; the room and the seq of the removal."""
    owner, member = cast.owner, cast.member
    room = await owner.create("Burst", "private", members=[member.id])
    await owner.subscribe(room)
    late = number % 3 == 2
    if not late:
        await asyncio.gather(member.subscribe(room), cast.tab.subscribe(room))

    async def end() -> int:
        await asyncio.sleep(stage.chance.uniform(0, 0.012))
        if number % 3 == 1:
            return int((await member.cmd("room.leave", room=room))["event"])
        return int((await owner.cmd("member.remove", room=room, member=member.id))["event"])

    async def subscribe() -> None:
        """The race of a subscription with the removal: before it, or refused."""
        if late:
            await asyncio.sleep(stage.chance.uniform(0, 0.012))
            await asyncio.gather(*(one.request("room.subscribe", room=room) for one in
                                   (member, cast.tab)))  # fmt: skip

    burst = asyncio.gather(*(owner.say(room, f"{n}") for n in range(BURST)))
    seq, _, said = await asyncio.gather(end(), subscribe(), burst)
    await owner.say(room, "are we alone?")
    stage.answered(len(said) + 1)
    return room, seq


async def _judge(stage: Stage, cast: Cast, removals: dict[str, int]) -> None:
    """Everything that came to the removed one, over both connections."""
    stage.checked("leaked")
    for client in (cast.member, cast.tab):
        # Whatever was still to come to him comes before this answer, or within the half second.
        await asyncio.sleep(0.5)
        await client.cmd("ping")
        for room, seq in filter(None, map(_shown, client.frames)):
            if seq > removals.get(room, seq):
                told = f"got seq {seq} of {room}, which he left at {removals[room]}"
                stage.blame([Violation("I6", told)])
        sample = [await client.refused("room.subscribe", room=room) for room in list(removals)[:10]]
        stage.expect(set(sample) <= {"not_found"}, "who was removed may not subscribe")
        told = f"who was removed is told so within {DEADLINE:g} s"
        stage.expect(await _told(client, removals.keys()), told)
    for client in (cast.owner, cast.member, cast.tab):
        client.frames.clear()
        client.events.clear()
        client.inbox.clear()
        client.views.clear()


async def _told(client: Client, rooms: Set[str]) -> bool:
    """Whether he hears in time that he is in none of them any more: by news, else by the sweep."""
    deadline = time.monotonic() + DEADLINE
    while True:
        left = {frame["room"] for frame in client.frames if frame["type"] == "room.left"}
        if rooms <= left or time.monotonic() > deadline:
            return rooms <= left
        await asyncio.sleep(0.05)


def _shown(frame: Frame) -> tuple[str, int] | None:
    """Up to which seq of which room a frame shows something; None if it shows nothing."""
    if "actor" in frame and "seq" in frame:
        return frame["room"], frame["seq"]
    if frame["type"] == "reply" and frame["ok"] and "state" in frame["result"]:
        return frame["result"]["state"]["room"], frame["result"]["head"]
    return None
