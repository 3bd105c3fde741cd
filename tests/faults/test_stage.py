"""What a fault leaves when it fails on the way: what could be judged, and nothing that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tertulia.testing.failpoints import VARIABLE
from tertulia.testing.faults import stage as module
from tertulia.testing.faults.outcome import Outcome
from tertulia.testing.faults.report import COLUMNS, NONE, row
from tertulia.testing.faults.stage import Stage
from tertulia.testing.server import Server
from tertulia.testing.services import Missing, Redis


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = Stage(Outcome("made-up", "sqlite", "short"))
    yield made
    await made.close()


def cells(stage: Stage) -> dict[str, str]:
    """What the table says, by column."""
    return dict(zip(COLUMNS, row(stage.outcome), strict=True))


async def fails(stage: Stage, installation: module.Installation, *, removing: bool = False) -> None:
    """A fault under load that fails after some messages."""
    async with stage.storm(installation, writers=2, followers=2) as storm:
        await storm.more(20)
        if removing:
            await storm.remove_a_follower()
        raise ValueError("by surprise")


async def test_what_was_recorded_before_a_fault_failed_is_judged(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = stage.installation()
    with pytest.raises(ValueError, match="by surprise"):
        await fails(stage, installation)
    told = cells(stage)
    counts = ("lost", "doubled", "out of order", "late", "stuck")
    assert [told[name] for name in counts] == ["0"] * 5
    assert told["leaked"] == NONE, "nobody was removed"
    assert told["grew"].endswith(" MiB")
    with pytest.raises(ValueError, match="by surprise"):
        await fails(stage, installation, removing=True)
    assert cells(stage)["leaked"] == "0"
    # The third time nobody is left who could be asked.
    monkeypatch.setattr(module, "EARLY", 2.0)
    monkeypatch.setattr(module, "LAST_ANSWERS", 0.5)
    with pytest.raises(ValueError, match="by surprise"):
        async with stage.storm(installation, writers=2, followers=2) as storm:
            await storm.more(20)
            installation.here.kill9()
            raise ValueError("by surprise")
    assert [cells(stage)[name] for name in (*counts, "leaked")] == [NONE] * 6


async def test_nothing_is_left_of_what_did_not_come_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, before, folders = Stage(Outcome("made-up", "sqlite", "short")), [*Server.instances], []

    def start(self: Redis) -> Redis:
        folders.append(self.folder)
        raise Missing("redis-server")

    monkeypatch.setattr(Redis, "start", start)
    with pytest.raises(OSError, match="no-such-program"):
        stage.installation(prefix=["/no-such-program"])
    with pytest.raises(Missing):
        stage.redis()
    (folder,) = folders
    assert isinstance(folder, Path)
    assert folder.exists()
    await stage.close()
    assert not folder.exists()
    assert Server.instances == before


async def test_a_server_that_dies_while_the_room_is_made_is_waited_for(stage: Stage) -> None:
    """As by a failpoint that strikes a commit in so many."""
    installation = stage.installation(env={VARIABLE: "after-commit=kill"})
    server = installation.here

    def revive() -> None:
        assert server.process
        server.process.popen.wait(60)
        server.env[VARIABLE] = ""
        server.start(wait=False)

    reviving = asyncio.create_task(asyncio.to_thread(revive))
    async with stage.storm(installation, writers=2, followers=2) as storm:
        await storm.more(20)
    await reviving
