"""News that the channel layer loses, delays, mixes up or brings twice."""

from __future__ import annotations

import asyncio

from ..failpoints import VARIABLE
from ..installation import Installation
from ..metrics import Metrics
from ._measure import Ear
from .registry import fault
from .stage import Stage

# What becomes of news, in the one process and in the other. A delay that is longer than the pause
# between two sweeps lets the log bring an event before its news.
TROUBLES = [
    ("delay(1.7):0.3", "drop"),
    ("reorder(5)", "double:0.5"),
    ("drop:0.34", "delay(0.3):0.5"),
    ("double", "drop"),
    ("delay(1.7):0.3", "reorder(20)"),
]


@fault(
    "news-mangled",
    modes=("scaled",),
    reach="0 lost, doubled, reordered",
    takes=150,
)
async def news_mangled(stage: Stage) -> None:
    """News between processes are dropped, delayed, mixed up and doubled, by turns."""
    # With failpoints from the start, though with none yet: they come by a restart.
    installation = await asyncio.to_thread(stage.installation, env={VARIABLE: ""})
    lone = 0.0
    for rules in TROUBLES[: stage.choose(short=2, quick=5, full=5)]:
        stage.say(" and ".join(rules))
        for server, rule in zip(installation.servers, rules, strict=True):
            server.env[VARIABLE] = f"layer-receive={rule}"
        await asyncio.gather(*(asyncio.to_thread(s.restart) for s in installation.servers))
        # Begun afterwards, so that both processes have writers and followers.
        async with stage.storm(installation) as storm:
            await storm.more(30)
            await storm.remove_a_follower()
            await asyncio.sleep(stage.choose(short=1.0, quick=4.0, full=20.0))
            await storm.more(30)
            stage.expect(await _felt(installation), f"gaps were found under {rules}")
        # Where many write, what is missing shows itself; here nothing comes behind it.
        async with Ear(installation) as ear:
            for _ in range(3):
                lone = max(lone, await ear.hears())
        stage.trial()
    stage.figure("a lone message heard at another process", lone, "s", at_most=5)


async def _felt(installation: Installation) -> bool:
    found = [await asyncio.to_thread(Metrics.of, server) for server in installation.servers]
    return sum(m("gaps_found_total") for m in found) > 0
