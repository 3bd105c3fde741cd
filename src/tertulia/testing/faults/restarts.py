"""Servers restarted politely, one after the other, under load."""

from __future__ import annotations

import time
from collections import defaultdict
from itertools import pairwise

from ..history import History
from .registry import fault
from .stage import Stage


@fault("rolling-restart", reach="0 lost; p99 of a reply ≤ 2 s", takes=120)
async def rolling_restart(stage: Stage) -> None:
    """Four processes are restarted by SIGTERM one after the other; SQLite's single one alone."""
    installation = stage.installation(servers=stage.choose(short=2, quick=4, full=4))
    rounds = stage.choose(short=1, quick=1, full=5)
    servers = installation.servers * (rounds * (2 if stage.mode == "sqlite" else 1))
    async with stage.storm(installation) as storm:
        await storm.more(50, seconds=60)
        began = time.monotonic()
        for number in stage.trials(len(servers)):
            server = servers[number]
            await storm.away(lambda server=server: server.restart(kill=False))  # type: ignore[misc]
            await storm.more(50, seconds=60)
        ended = time.monotonic()
        waits = _waits(storm.history, began, ended)
        # One process that is down answers nobody: that is told, and has no bound.
        bound = 2.0 if stage.mode == "scaled" else None
        stage.figure("reply p99", waits[len(waits) * 99 // 100], "s", at_most=bound)
        stage.figure("slowest reply", waits[-1], "s")


def _waits(history: History, began: float, ended: float) -> list[float]:
    """Seconds between two answers to the same writer, ascending: what a send took, with the
    connection made anew for it, and the few milliseconds for which a writer pauses."""
    answers: dict[str, list[float]] = defaultdict(list)
    for line in history:
        if line["op"] == "ok":
            answers[line["client"]].append(line["t"])
    pairs = (pair for times in answers.values() for pair in pairwise(times))
    return sorted(after - before for before, after in pairs if began <= after <= ended)
