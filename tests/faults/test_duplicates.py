"""The same send, again and again, through any process, after any delay: one message."""

from __future__ import annotations

import asyncio
from typing import Any

from tertulia.testing.client import Client, new_key
from tertulia.testing.stored import read_logs
from tertulia.testing.workload import BROKEN

from .conftest import Make
from .playing import passes, plays


@plays("same-key")
async def test_the_same_key_ten_times_at_once_after_a_restart_and_a_month_later(
    name: str, mode: str
) -> None:
    await passes(name, mode)


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
