"""The tutorial's chat under each server and layer, started when the first test asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from tertulia.testing.server import Server
from tertulia.testing.services import Redis
from tests.support.classic import ClassicClient
from tests.support.tutorial import Tutorial

FRIEND = "https://friend.example"
Enter = Callable[..., Awaitable[ClassicClient]]


@pytest.fixture(scope="session")
def tutorial() -> Iterator[Tutorial]:
    """As `run` starts it without options: uvicorn, layer in memory, synchronous consumer."""
    server = Tutorial(env={"TUTORIAL_CORS_ORIGINS": FRIEND}).start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def over_core(redis: Redis) -> Iterator[Tutorial]:
    """daphne, channels-redis' core layer, the asynchronous consumer; nothing is kept."""
    options = ["--server", "daphne", "--redis", redis.url, "--consumer", "async", "--no-store"]
    server = Tutorial(arguments=options).start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def over_pubsub(redis: Redis) -> Iterator[Tutorial]:
    """`manage.py runserver`, channels-redis' publish/subscribe layer."""
    options = ["--server=runserver", f"--redis={redis.url}", "--layer=pubsub"]
    server = Tutorial(arguments=options).start()
    yield server
    server.remove()


@pytest.fixture(params=["tutorial", "over_core", "over_pubsub"])
def each(request: pytest.FixtureRequest) -> Tutorial:
    """Each of them in turn."""
    server: Tutorial = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def cookies(tutorial: Tutorial) -> dict[str, str]:
    """Cookie headers of ana, who is a superuser, and bea, who is not."""
    return tutorial.enrol({"ana": True, "bea": False})


@pytest.fixture
async def enter() -> AsyncIterator[Enter]:
    """`await enter(server, "lobby")`: in a room, as a page of that server does it."""
    clients: list[ClassicClient] = []

    async def entered(server: Server, room: str, **how: Any) -> ClassicClient:
        client = await ClassicClient.connect(server.ws, room, **{"origin": server.url, **how})
        clients.append(client)
        return client

    yield entered
    for client in clients:
        # Not closed politely: that would wait for whoever has not read all.
        client.socket.transport.abort()
