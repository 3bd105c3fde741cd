"""What a queue of 100 for each connection means: messages that go missing, and nobody is told."""

from __future__ import annotations

import asyncio
import contextlib

from tertulia.testing.server import Server
from tests.support.classic import ClassicClient
from tests.support.tutorial import Tutorial

from .conftest import Enter

SENDERS, EACH = 20, 12
BURST = {f"{sender}/{number}" for sender in range(SENDERS) for number in range(EACH)}


async def burst(server: Server, enter: Enter) -> list[str]:
    """Many people say a few things each at once; what one who only listens hears of it."""
    listener = await enter(server, "burst")
    senders = [await enter(server, "burst") for _ in range(SENDERS)]

    async def speak(sender: ClassicClient, number: int) -> None:
        for turn in range(EACH):
            await sender.say(f"{number}/{turn}")
        await until_the_end(sender, f"the end of {number}")

    await asyncio.gather(*(speak(sender, number) for number, sender in enumerate(senders)))
    return [text for text in await until_the_end(listener, "the end") if text in BURST]


async def until_the_end(client: ClassicClient, end: str) -> list[str]:
    """What comes before his own last word, which he repeats since it may go missing too."""
    heard: list[str] = []
    for _ in range(60):
        await client.say(end)
        with contextlib.suppress(TimeoutError):
            while (text := (await client.next(1))["message"]) != end:
                heard.append(text)
            return heard
    raise AssertionError(f"{end} was said sixty times and never heard")


async def test_the_tutorial_loses_messages_and_tells_nobody(
    tutorial: Tutorial, enter: Enter
) -> None:
    heard = await burst(tutorial, enter)
    assert 0 < len(heard) < len(BURST)
    # The connection is as good as ever: nothing shows that something is missing.
    client = await enter(tutorial, "burst")
    await client.say("afterwards")
    assert (await client.next())["message"] == "afterwards"


async def test_tertulia_loses_none_of_the_same_burst(playground: Server, enter: Enter) -> None:
    heard = await burst(playground, enter)
    assert len(heard) == len(BURST)
    assert set(heard) == BURST
