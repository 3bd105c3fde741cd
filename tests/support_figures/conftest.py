"""A desk with conversations in it, on each installation or on the embedded server alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tertulia.testing.installation import Installation
from tertulia.testing.server import Server
from tests.support_desk.desk import Desk


@pytest.fixture
async def desk(embedded: Server) -> AsyncIterator[Desk]:
    """SQLite, one process."""
    async with AsyncExitStack() as stack:
        yield Desk.of(Installation([embedded]), stack)


@pytest.fixture
async def everywhere(installation: Installation) -> AsyncIterator[Desk]:
    """With each database and layer."""
    async with AsyncExitStack() as stack:
        yield Desk.of(installation, stack)
