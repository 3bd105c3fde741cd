"""What the attacks stand on besides the shared servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.server import Server

# An installation whose Redis can be ended.
from tests.faults.conftest import make, own_redis

__all__ = ["make", "own_redis"]

SMALL = {
    "PYTHONPATH": str(Path(__file__).with_name("small")),
    "DJANGO_SETTINGS_MODULE": "small_settings",
}
# Of the whole process: more than an address may have, so that both can be met.
PROCESS_SOCKETS = 30


@pytest.fixture(scope="session")
def small() -> Iterator[Server]:
    """A server whose limits a test can reach: see `small/`."""
    server = Server(env={**SMALL, "SMALL_SOCKETS": str(PROCESS_SOCKETS)}).start()
    yield server
    server.remove()
