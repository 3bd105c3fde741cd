"""SQLite is locked by somebody else: a backup, a shell, a curious administrator."""

from __future__ import annotations

import asyncio
import contextlib
import time

from ..client import Client, Refused, new_key
from ..installation import Installation
from ..metrics import Metrics
from ..stored import locked
from ..storm import Storm
from ._measure import drained
from .registry import fault
from .stage import Stage

# The histogram's bound that stands for the reach.
LAG = 0.25


@fault(
    "sqlite-locked",
    modes=("sqlite",),
    reach="0 lost, a retryable error in time, event loop lag ≤ 250 ms",
    takes=90,
    alone=True,
)
async def sqlite_locked(stage: Stage) -> None:
    """Another program holds SQLite by BEGIN EXCLUSIVE for 1 to 30 s."""
    installation = await asyncio.to_thread(stage.installation)
    longest = 0.0
    watch = _Bystander(installation)
    # A minute of all that SQLite takes would be 50,000 messages, to be read again in the end.
    async with stage.storm(installation, pause=0.05) as storm, watch:
        for seconds in stage.choose(short=[1, 5], quick=[1, 8, 20], full=[1, 2, 4, 8, 15, 30]):
            await storm.more(50)
            stage.say(f"locked for {seconds} s")
            with locked(installation.here):
                until = time.monotonic() + seconds
                await _refused_in_time(stage, storm, watch, seconds)
                await asyncio.sleep(max(0.0, until - time.monotonic()))
            longest = max(longest, await drained(storm, time.monotonic()))
            await watch.retries(stage, storm)
            stage.trial()
        await storm.more(50)
        lag = await asyncio.to_thread(Metrics.of, installation.here)
    late = lag("event_loop_lag_seconds_count") - lag("event_loop_lag_seconds_bucket", le=str(LAG))
    stage.expect(late == 0, f"the server's own event loop was never later than {LAG} s")
    stage.figure("answered with unavailable after", watch.refused, "s", at_most=5)
    stage.figure("reading meanwhile", watch.reading, "s", at_most=1)
    stage.figure("a ping's way there and back, worst", 1000 * watch.ping, "ms", at_most=1000 * LAG)
    stage.figure("outboxes drained", longest, "s", at_most=10)


async def _refused_in_time(stage: Stage, storm: Storm, watch: _Bystander, seconds: float) -> None:
    """A send is answered in time: by an error after which to try again, or once it is free."""
    if seconds <= 4:
        # Short enough to be waited for.
        return
    began = time.monotonic()
    async with await Client.connect(watch.ws, token=storm.owner_token) as owner:
        try:
            await owner.say(storm.room, "while it is locked", watch.key, seconds=20)
        except Refused as refused:
            stage.expect(refused.code == "unavailable", f"refused by {refused.code}")
            stage.expect(refused.error.get("retry_after", 0) > 0, "it says when to try again")
            watch.refused = max(watch.refused, time.monotonic() - began)
            watch.owed = True
        else:
            stage.expect(False, "a send is refused while SQLite is locked")
        began = time.monotonic()
        await owner.cmd("history.list", room=storm.room, after=0, limit=10)
        watch.reading = max(watch.reading, time.monotonic() - began)


class _Bystander:
    """An idle connection that pings every 20 ms; the worst times of what it and others did."""

    def __init__(self, installation: Installation) -> None:
        self.server = installation.here
        self.ws = self.server.ws
        self.ping = self.refused = self.reading = 0.0
        # The send that is refused, and whether it was.
        self.key, self.owed = new_key(), False

    async def __aenter__(self) -> _Bystander:
        ((_, token),) = await asyncio.to_thread(self.server.people, 1)
        self.client = await Client.connect(self.ws, token=token)
        self.task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task
        await self.client.close()

    async def retries(self, stage: Stage, storm: Storm) -> None:
        """What was refused has left nothing behind: the same key is a first send."""
        if not self.owed:
            return
        async with await Client.connect(self.ws, token=storm.owner_token) as owner:
            answer = await owner.say(storm.room, "while it is locked", self.key)
        stage.expect(answer["duplicate"] is False, "a send that was refused was not written")
        self.key, self.owed = new_key(), False

    async def _run(self) -> None:
        while True:
            began = time.monotonic()
            await self.client.cmd("ping")
            self.ping = max(self.ping, time.monotonic() - began)
            await asyncio.sleep(0.02)
