"""What several faults measure: news between processes, drained outboxes."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType

from ..client import Client
from ..installation import Installation
from ..storm import Storm

# Longer than any delivery may take: the sweep, which comes once a second, has to have found it.
DEAF = 10.0


class NotInTime(AssertionError):
    """What should have come has not, in any reasonable time."""


class Ear:
    """One who speaks at an installation's first process and one who listens at its last.

    It has a room of its own, so that it measures beside a storm without being part of it.
    """

    def __init__(self, installation: Installation) -> None:
        self.installation = installation

    async def __aenter__(self) -> Ear:
        here, there = self.installation.here, self.installation.there
        (_, one), (_, two) = await asyncio.to_thread(here.people, 2)
        self.mouth = await Client.connect(here.ws, token=one)
        self.ear = await Client.connect(there.ws, token=two)
        self.room = await self.mouth.create("Ear", "private", members=[self.ear.id])
        await self.ear.subscribe(self.room)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        await self.mouth.close()
        await self.ear.close()

    async def hears(self) -> float:
        """Seconds from the answer to a message until the other has it; `NotInTime` if never."""
        sent = await self.mouth.say(self.room, "Do you hear me?")
        answered = time.monotonic()
        try:
            await self.ear.reached(self.room, sent["seq"], seconds=DEAF)
        except TimeoutError as error:
            raise NotInTime(f"nothing was heard for {DEAF:.0f} s") from error
        return time.monotonic() - answered

    async def live_since(self, seconds: float = 15) -> float:
        """The (monotonic) time from which on news came by the layer and not by the sweep.

        Two messages, one said after the other was heard, within less than a second: the sweep,
        which waits a second after each look, cannot have brought both.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            began = time.monotonic()
            await self.hears()
            if time.monotonic() - began < 0.5:
                heard = time.monotonic()
                await self.hears()
                if time.monotonic() - began < 0.95:
                    return heard
            await asyncio.sleep(0.02)
        raise NotInTime(f"after {seconds:.0f} s news still come by the sweep only")


async def drained(storm: Storm, since: float, seconds: float = 60) -> float:
    """Seconds from `since` until what every writer was trying to send then has been answered."""
    deadline = time.monotonic() + seconds
    names = {writer.name for writer in storm.writers}
    while time.monotonic() < deadline:
        first: dict[str, float] = {}
        for line in reversed(storm.history.lines):
            if line["t"] < since:
                break
            if line["op"] == "ok" and line["client"] in names:
                first[line["client"]] = line["t"]
        if len(first) == len(names):
            return max(first.values()) - since
        await asyncio.sleep(0.02)
    raise NotInTime(f"{seconds:.0f} s after it came back somebody is still not answered")
