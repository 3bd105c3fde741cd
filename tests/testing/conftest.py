"""Servers of the test's own, started by the testing package's launcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tertulia.testing.server import Server
from tests.conftest import RELAXED

Launch = Callable[..., Server]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """`launch("sweep=drop", …)`: a server with these failpoints; removed with the test."""
    servers = []

    def made(rules: str, *, start: bool = True, **how: object) -> Server:
        env = {**RELAXED, "TERTULIA_FAILPOINTS": rules, **how.pop("env", {})}  # type: ignore[dict-item]
        server = Server(env=env, **how)  # type: ignore[arg-type]
        servers.append(server)
        return server.start() if start else server

    yield made
    for server in servers:
        server.remove()
