"""The same send, again and again, through any process, after any delay: one message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tertulia.testing.client import Client, new_key
from tertulia.testing.stored import read_logs
from tertulia.testing.workload import BROKEN

from .conftest import Make


@pytest.mark.parametrize("mode", ["embedded", "scaled"])
async def test_the_same_key_ten_times_at_once_through_two_processes(make: Make, mode: str) -> None:
    installation = make(mode)
    ((_, token),) = installation.here.people(1)
    doors = installation.doors
    clients = [await Client.connect(doors.next(), token=token) for _ in range(10)]
    room = await clients[0].create("Ten times")
    keys = [new_key() for _ in range(30)]
    first: dict[str, int] = {}
    for key in keys:
        replies = await asyncio.gather(*(client.say(room, "once", key) for client in clients))
        assert len({reply["seq"] for reply in replies}) == 1
        assert len({reply["sent_at"] for reply in replies}) == 1
        assert sum(not reply["duplicate"] for reply in replies) == 1
        first[key] = replies[0]["seq"]
    for client in clients:
        await client.close()
    for server in installation.servers:
        server.restart()
    async with await Client.connect(installation.there.ws, token=token) as client:
        for key in keys:
            again = await client.say(room, "once more", key)
            assert (again["seq"], again["duplicate"]) == (first[key], True)
    log = read_logs(installation.here)[room]
    assert [entry.key for entry in log.entries if entry.key] == keys


async def test_sends_cut_off_before_their_answer_are_made_once(make: Make) -> None:
    """Every connection is cut right behind the send; each is tried until it is answered."""
    installation = make("embedded")
    ((_, token),) = installation.here.people(1)
    async with await Client.connect(installation.here.ws, token=token) as client:
        room = await client.create("Cut off")

    async def send(key: str, patience: float) -> Any:
        client = await Client.connect(installation.here.ws, token=token)
        try:
            return await asyncio.wait_for(client.say(room, "hola", key), patience)
        except BROKEN:
            return None
        finally:
            await client.vanish()

    keys = [new_key() for _ in range(60)]
    for number, key in enumerate(keys):
        await send(key, number * 0.0001)
    answers = [await send(key, 10) for key in keys]
    assert len({answer["seq"] for answer in answers}) == len(keys)
    log = read_logs(installation.here)[room]
    stored = [entry.key for entry in log.entries if entry.key]
    assert sorted(stored) == sorted(keys)
    assert any(answer["duplicate"] for answer in answers)
