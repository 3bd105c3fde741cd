"""A desk on each installation, or on the embedded server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server

from .desk import Desk


@pytest.fixture
async def desk(embedded: Server) -> AsyncIterator[Desk]:
    """SQLite, one process."""
    async with AsyncExitStack() as stack:
        yield Desk.of(Installation([embedded]), stack)


@pytest.fixture
async def everywhere(installation: Installation) -> AsyncIterator[Desk]:
    """With each database and layer; agents and visitors may be in different processes."""
    async with AsyncExitStack() as stack:
        yield Desk.of(installation, stack)
