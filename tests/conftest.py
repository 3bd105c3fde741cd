"""Servers shared by the tests, each started when the first test asks for it.

Tests keep apart by fresh rooms and fresh people, not by fresh servers. `embedded` is one
process on SQLite. `installation` is the same tests' view of all the ways to run it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.support.people import Person

# Fast tests send more than a person may; the limits have a server of their own.
RELAXED = {"TERTULIA_LIMITS": "off", "TERTULIA_SIGNUP": "open"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One private cluster for the whole run."""
    cluster = Postgres().start()
    yield cluster
    cluster.remove()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """One private Redis; tests that break it start their own."""
    service = Redis().start()
    yield service
    service.remove()


@pytest.fixture(scope="session")
def embedded() -> Iterator[Server]:
    """SQLite, one process, sign-up open, rates lifted."""
    server = Server(env=RELAXED).start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def playground() -> Iterator[Server]:
    """`serve --open`: guests may talk, rooms come into being when visited."""
    server = Server(open=True, env={"TERTULIA_LIMITS": "off"}).start()
    yield server
    server.remove()


@pytest.fixture(scope="session", params=["embedded", "scaled", "scaled-core"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """The product with each database and layer; `doors` lead to different processes."""
    if request.param == "embedded":
        yield Installation([request.getfixturevalue("embedded")])
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    redis: Redis = request.getfixturevalue("redis")
    layer = "core" if request.param == "scaled-core" else "pubsub"
    made = Installation.scaled(postgres, redis, {**RELAXED, "TERTULIA_LAYER": layer})
    yield made
    made.remove()


@pytest.fixture
async def people(embedded: Server) -> AsyncIterator[Callable[..., Person]]:
    """`people()` makes somebody new on the embedded server; connections end with the test."""
    async with AsyncExitStack() as stack:
        yield lambda: Person.new(embedded, stack)


@pytest.fixture
async def ana(people: Callable[..., Person]) -> Person:
    """Somebody new; not connected yet."""
    return people()


@pytest.fixture
async def bea(people: Callable[..., Person]) -> Person:
    return people()


@pytest.fixture
async def eve(people: Callable[..., Person]) -> Person:
    """The one who does not belong here."""
    return people()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure shows what the servers wrote since the test began."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        starts = item.stash.get(_STARTS, {})
        for server in Server.instances:
            text = server.tail(starts.get(id(server), 0))
            if text.strip():
                report.sections.append((f"log of the server at {server.host}", text))  # type: ignore[attr-defined]
    return report


_STARTS: pytest.StashKey[dict[int, int]] = pytest.StashKey()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_STARTS] = {id(s): s.log.stat().st_size for s in Server.instances}
