"""Servers that mail their visitors, and a mail server that takes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.support.mailserver import MailServer

from .mails import MailDesk, environment


@pytest.fixture(scope="session")
def post() -> Iterator[MailServer]:
    server = MailServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mailing(post: MailServer) -> Iterator[Server]:
    """SQLite, one process."""
    server = Server(env=environment(post)).start()
    yield server
    server.remove()


@pytest.fixture
async def desk(mailing: Server, post: MailServer) -> AsyncIterator[MailDesk]:
    async with AsyncExitStack() as stack:
        yield MailDesk.of(Installation([mailing]), stack).sited(post)  # type: ignore[attr-defined]


@pytest.fixture(scope="session", params=["embedded", "scaled"])
def everywhere_mailing(request: pytest.FixtureRequest, post: MailServer) -> Iterator[Installation]:
    """With each database; agents and visitors may be in different processes."""
    if request.param == "embedded":
        yield Installation([request.getfixturevalue("mailing")])
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    redis: Redis = request.getfixturevalue("redis")
    made = Installation.scaled(postgres, redis, environment(post))
    yield made
    made.remove()


@pytest.fixture
async def everywhere(everywhere_mailing: Installation, post: MailServer) -> AsyncIterator[MailDesk]:
    async with AsyncExitStack() as stack:
        yield MailDesk.of(everywhere_mailing, stack).sited(post)  # type: ignore[attr-defined]
