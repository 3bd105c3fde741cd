"""One deliberate break of the product for each invariant, and the checker catches it.

The breaks are in `breaks/sitecustomize.py`, which only the server under test loads. Each
scene is played with the honest product as well, to show that it is the break that is caught.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from tertulia.testing.client import new_key
from tertulia.testing.storm import Storm

from .conftest import Make

BREAKS = str(Path(__file__).with_name("breaks"))


async def plain(storm: Storm) -> None:
    """Everybody talks."""
    await storm.more(200)


async def twice(storm: Storm) -> None:
    """Every send is repeated with its key, as after an answer that was lost."""

    async def repeat(number: int) -> None:
        for _ in range(5):
            key = new_key()
            await storm.writers[number].write("twice", key)
            await storm.writers[number].write("twice", key)

    storm.stop.set()
    await asyncio.gather(*storm.writing)
    await asyncio.gather(*(repeat(number) for number in range(len(storm.writers))))


async def reading_back(storm: Storm) -> None:
    """Somebody writes and looks, again and again."""
    storm.stop.set()
    await asyncio.gather(*storm.writing)
    for _ in range(3):
        await storm.writers[0].write("do you see me?")
        await storm.read_back(storm.writers[0])


async def removal(storm: Storm) -> None:
    """A follower is removed while the others go on."""
    await storm.more(50)
    await storm.remove_a_follower()
    await storm.more(50)


Scene = Callable[[Storm], Awaitable[None]]
SCENES: dict[str, tuple[str, Scene]] = {
    "I1": ("embedded", plain),
    "I2": ("scaled", twice),
    "I3": ("embedded", plain),
    "I4": ("embedded", plain),
    "I5": ("embedded", reading_back),
    "I6": ("embedded", removal),
}


async def caught(make: Make, invariant: str, broken: bool) -> set[str]:
    """Play the scene; the invariants that were found violated."""
    mode, scene = SCENES[invariant]
    env = {"PYTHONPATH": BREAKS, "BREAK": invariant} if broken else {}
    installation = make(mode, **env)
    if broken and invariant == "I2":
        with psycopg.connect(installation.here.env["DATABASE_URL"]) as connection:
            connection.execute(
                "ALTER TABLE tertulia_chat_message DROP CONSTRAINT tertulia_message_key"
            )
    async with Storm(installation, pause=0) as storm:
        await scene(storm)
        found = await storm.violations(seconds=3 if broken else 20)
        return {violation.invariant for violation in found}


@pytest.mark.parametrize("invariant", SCENES)
async def test_the_break_is_caught(make: Make, invariant: str) -> None:
    assert invariant in await caught(make, invariant, broken=True)


@pytest.mark.parametrize("invariant", ["I1", "I2", "I5", "I6"])
async def test_the_honest_product_passes_the_same_scene(make: Make, invariant: str) -> None:
    assert await caught(make, invariant, broken=False) == set()
