"""The disk is full, and then there is space again."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Protocol

from ..client import Client
from ..installation import Installation
from ..server import RELAXED
from ..services import Missing
from ..smalldisk import NoMounts, SmallDisk
from ..smallpostgres import SmallPostgres
from ..storm import Storm
from ..workload import Writer, until
from .registry import fault
from .stage import Stage

LONG = "x" * 9_000
# Who writes long messages while there is no room for them.
FLOOD = 4


class Disk(Protocol):
    """A file system of a few MiB that can be filled."""

    def fill(self) -> int:
        """Leave no byte free; how many bytes that took."""
        ...

    def free(self) -> None:
        """Undo it."""


@fault(
    "disk-full",
    reach="no reply without a row, reads go on, recovers by itself",
    takes=150,
)
async def disk_full(stage: Stage) -> None:
    """The database's disk, a few MiB, is filled to its last byte; then there is space again."""
    try:
        disk, installation = await asyncio.to_thread(_on_small_disk, stage)
    except NoMounts as error:
        raise Missing(f"a file system of a few MiB: {error}") from error
    refused = recovered = 0.0
    async with stage.storm(installation, pause=0.01) as storm:
        for number in stage.trials(stage.choose(short=1, quick=3, full=20)):
            await storm.more(30)
            stage.expect(await asyncio.to_thread(disk.fill) > 0, "there was space to fill")
            began = time.monotonic()
            flood = [Writer(f"flood-{number}-{n}", installation.doors, storm.owner_token,
                            storm.room, storm.history) for n in range(FLOOD)]  # fmt: skip
            floods = [asyncio.create_task(_flood(writer)) for writer in flood]
            await until(lambda flood=flood: _all_refused(flood), 30, "sends are refused")  # type: ignore[misc]
            refused = max(refused, time.monotonic() - began)
            await _reads_go_on(stage, storm)
            await asyncio.to_thread(disk.free)
            free = time.monotonic()
            await asyncio.gather(*floods)
            recovered = max(recovered, time.monotonic() - free)
            codes = {code for writer in flood for code in writer.refusals}
            stage.expect(codes == {"unavailable"}, f"refused by unavailable alone, not {codes}")
        await storm.more(30)
    stage.figure("every sender refused after", refused, "s")
    stage.figure("what was refused is written after", recovered, "s", at_most=10)


async def _all_refused(flood: list[Writer]) -> bool:
    return all(writer.refusals for writer in flood)


async def _flood(writer: Writer) -> None:
    """Write until something has been refused, and that to its answer."""
    for number in itertools.count():
        await writer.write(f"{number} {LONG}")
        if writer.refusals:
            break
    await writer.drop()


async def _reads_go_on(stage: Stage, storm: Storm) -> None:
    for server in storm.installation.servers:
        async with await Client.connect(server.ws, token=storm.owner_token) as owner:
            page = await owner.cmd("history.list", room=storm.room, after=0, limit=100)
            whole = len(page["messages"]) == 100 or not page["more_after"]
            stage.expect(whole, "a whole page of history while the disk is full")


# SQLite: the data folder. PostgreSQL: a tablespace, since without room for its own log it stops
# altogether, and only its administrator can make it start.


def _on_small_disk(stage: Stage) -> tuple[Disk, Installation]:
    megabytes = stage.choose(short=8, quick=16, full=96)
    if stage.mode == "sqlite":
        small = stage.keep(SmallDisk(megabytes, RELAXED)).start()
        return small, Installation([small.server])
    cluster = stage.keep(SmallPostgres(megabytes + 16)).start()
    return cluster, stage.installation(postgres=cluster)
