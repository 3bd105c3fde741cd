"""PostgreSQL is restarted under load."""

from __future__ import annotations

import asyncio
import signal
import time

from ._measure import drained
from .registry import fault
from .stage import Stage


@fault(
    "postgres-restarted",
    modes=("scaled",),
    reach="100 restarts, 0 lost, doubled, reordered; outboxes drained ≤ 10 s",
    takes=600,
)
async def postgres_restarted(stage: Stage) -> None:
    """PostgreSQL is restarted, by turns fast and immediate, and now and then away for 5 s."""
    cluster = stage.postgres()
    installation = await asyncio.to_thread(stage.installation)
    longest = 0.0
    async with stage.storm(installation) as storm:
        for number in stage.trials(stage.choose(short=2, quick=6, full=100)):
            await storm.more(40)
            how = signal.SIGQUIT if number % 2 else signal.SIGINT
            assert cluster.process
            await storm.away(lambda how=how: cluster.process.stop(how))  # type: ignore[misc]
            if number % 10 == 4:
                await asyncio.sleep(5)
            await storm.away(cluster.start)
            longest = max(longest, await drained(storm, time.monotonic()))
        await storm.more(40)
    stage.figure("outboxes drained", longest, "s", at_most=10)
