"""Installations of the test's own, to be broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tertulia.testing.installation import Installation, running
from tertulia.testing.server import Server
from tertulia.testing.services import Postgres, Redis
from tests.conftest import RELAXED

Make = Callable[..., Installation]


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis that may be killed and flushed."""
    service = Redis().start()
    yield service
    service.remove()


@pytest.fixture
def make(postgres: Postgres, own_redis: Redis) -> Iterator[Make]:
    """`make("embedded")`, `make("scaled")` or `make("scaled-core")`; removed with the test."""
    with ExitStack() as stack:

        def made(mode: str, postgres: Postgres = postgres, **env: str) -> Installation:
            env = {**RELAXED, **env}
            if mode == "embedded":
                server = Server(env=env).start()
                return stack.enter_context(running(Installation([server])))
            env["TERTULIA_LAYER"] = "core" if mode == "scaled-core" else "pubsub"
            return stack.enter_context(running(Installation.scaled(postgres, own_redis, env)))

        yield made
