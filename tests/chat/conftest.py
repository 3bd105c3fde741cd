"""People in rooms, ready to talk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tertulia.testing.client import Client
from tertulia.testing.server import Server
from tests.conftest import RELAXED
from tests.support.people import Person

from .waits import wait_for_all


@pytest.fixture(scope="session", autouse=True)
def waits(request: pytest.FixtureRequest) -> Iterator[Future[dict[str, Any]] | None]:
    """The waits of test_waiting.py take a minute: they go on beside the other tests.

    They have a server of their own, since some of the others kill theirs.
    """
    if not any("test_waiting" in item.nodeid for item in request.session.items):
        yield None
        return
    server = Server(env=RELAXED).start()
    try:
        with ThreadPoolExecutor(1) as thread:
            yield thread.submit(wait_for_all, server)
    finally:
        server.remove()


class Talk:
    """A room that Ana made and Bea joined, both connected and subscribed."""

    def __init__(self, room: str, ana: Client, bea: Client) -> None:
        self.room = room
        self.ana = ana
        self.bea = bea


@pytest.fixture
async def talk(ana: Person, bea: Person) -> Talk:
    """A public room with two members."""
    first, second = await ana.connect(), await bea.connect()
    room = await first.create(f"Talk of {ana.name}")
    await second.cmd("room.join", room=room)
    await first.subscribe(room)
    await second.subscribe(room)
    return Talk(room, first, second)


@pytest.fixture
async def private(ana: Person, bea: Person) -> Talk:
    """A private room with two members."""
    first, second = await ana.connect(), await bea.connect()
    room = await first.create(f"Secret of {ana.name}", "private", members=[second.id])
    await first.subscribe(room)
    await second.subscribe(room)
    return Talk(room, first, second)
