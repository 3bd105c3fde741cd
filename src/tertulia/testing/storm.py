"""Load on one room of an installation of our own while something breaks, and the proof afterwards.

async with Storm(installation) as storm:
    ...break things...
    await storm.proved(at_least=100)
"""

from __future__ import annotations

import asyncio
from typing import Any

from .checker import Log
from .installation import Installation
from .load import Load
from .stored import read_logs


class Storm(Load):
    """The load of `Load` with people made by the command line, the log as the database holds it,
    and the memory of all worker processes."""

    def __init__(self, installation: Installation, **how: Any) -> None:
        """`how`: as for `Load`."""
        super().__init__(installation.doors, **how)
        self.installation = installation

    async def __aenter__(self) -> Storm:
        await super().__aenter__()
        return self

    async def tokens(self, count: int) -> list[str]:
        people = await asyncio.to_thread(self.installation.here.people, count)
        return [token for _, token in people]

    async def logs(self) -> dict[str, Log]:
        return await asyncio.to_thread(read_logs, self.installation.here, self.room)

    def processes(self) -> list[tuple[str, int]]:
        running = [s for s in self.installation.servers if s.process and s.process.running]
        return [(server.host, pid) for server in running for pid in server.worker_pids()]
