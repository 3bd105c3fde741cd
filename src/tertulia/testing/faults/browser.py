"""Browsers and tabs killed with messages in their outbox, before and after the server's reply."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from ..chromium import Tab
from ._walker import KEPT, SHOWN, Walker, walking
from .registry import fault
from .stage import Stage

# From the crash of the tab that sends to the next message of another one; the contract's number.
TAKEN_OVER = 2.0

# Seconds from the start of a browser until its page shows as sent what the one before had left.
RECOVERED = 15.0

# Messages that are written for a kill: the first is under way, the others wait behind it.
MESSAGES = 3

# Whether this tab is the one that sends for all.
LEADS = """async () => {
  const mark = `which tab ${Math.random()}`;
  const ask = async () => (await navigator.locks.query()).held;
  const held = await navigator.locks.request(mark, ask);
  const me = held.find(({ name }) => name === mark).clientId;
  return held.some(({ name, clientId }) => name.startsWith("tertulia:outbox:") && clientId === me);
}"""


@fault(
    "browser-killed",
    reach="500 kills in each mode, half after the commit: each message once, and within 15 s",
    takes=1200,
)
async def browser_killed(stage: Stage) -> None:
    """A browser is killed with messages in its outbox, before and after the reply."""
    installation = stage.installation(servers=2)
    ports = [server.port for server in installation.servers]
    held: Counter[str] = Counter()
    slowest = 0.0
    async with walking(stage, installation) as walker:
        tab = await walker.page()
        for number in stage.trials(stage.choose(short=4, quick=24, full=500)):
            texts = [f"kill {number}, message {n}" for n in range(MESSAGES)]
            kind, kill = KILLS[number % len(KILLS)]
            held[kind] += await kill(walker, tab, texts)
            # Another process may be the one that is asked again.
            walker.proxy.upstream = ("127.0.0.1", ports[number % len(ports)])
            began = time.monotonic()
            await walker.browser.start()
            tab = await walker.page()
            await walker.all_shown(tab, texts)
            slowest = max(slowest, time.monotonic() - began)
    for kind in dict(KILLS):
        stage.expect(held[kind], f"messages were in the outbox of a browser killed {kind}")
    stage.figure("messages in the outbox when it was killed", held.total(), "")
    name = "from the start of a browser until all of them were shown as sent"
    stage.figure(name, slowest, "s", at_most=RECOVERED)


async def _kill_unsent(walker: Walker, tab: Tab, texts: list[str]) -> int:
    """The page has sent the first, and no server has got it. All of these return how many messages
    were in the outbox."""
    toxic = walker.proxy.add("timeout", stream="upstream")
    await walker.says(tab, texts)
    await walker.kept(tab, texts)
    await walker.browser.kill9()
    walker.proxy.remove(toxic)
    return len(texts)


async def _kill_committed(walker: Walker, tab: Tab, texts: list[str]) -> int:
    """The first is in the log, and its reply has not come."""
    toxic = walker.proxy.add("timeout", stream="downstream")
    await walker.says(tab, texts)
    await walker.kept(tab, texts)
    await walker.committed(texts[0])
    await walker.kept(tab, texts)
    await walker.browser.kill9()
    walker.proxy.remove(toxic)
    return len(texts)


async def _kill_answered(walker: Walker, tab: Tab, texts: list[str]) -> int:
    """The replies come while it is killed, one after the other by a narrow line."""
    toxic = walker.proxy.add("bandwidth", rate=0, stream="downstream")
    await walker.says(tab, texts)
    await walker.kept(tab, texts)
    narrow = walker.proxy.add("bandwidth", rate=4, stream="downstream", name="narrow")
    walker.proxy.remove(toxic)
    await asyncio.sleep(walker.stage.chance.uniform(0, 0.4))
    left = len(await tab.run(KEPT))
    await walker.browser.kill9()
    walker.proxy.remove(narrow)
    return left


_BEFORE = ("before anything was sent", _kill_unsent)
KILLS = (
    _BEFORE,
    ("behind the commit", _kill_committed),
    _BEFORE,
    ("while the replies came", _kill_answered),
)


@fault("tabs-leader-killed", reach="0 doubled, taken over ≤ 2 s", takes=400)
async def tabs_leader_killed(stage: Stage) -> None:
    """Three tabs share an outbox, and the tab that sends is killed."""
    installation = stage.installation(servers=2)
    taken, held = [], 0
    async with walking(stage, installation) as walker:
        tabs = [await walker.page() for _ in range(3)]
        for number in stage.trials(stage.choose(short=3, quick=20, full=200)):
            leader = await _leader(tabs)
            others = [tab for tab in tabs if tab is not leader]
            said: list[str] = []
            for letter, tab in zip("abc", (leader, *others), strict=True):
                texts = [f"turn {number} {letter} {n}" for n in range(6)]
                said += texts
                await walker.says(tab, texts, letter)
                if tab is leader:
                    await _stored(tab, texts)
            await asyncio.sleep(stage.chance.uniform(0, 0.05))
            held += len(await others[0].run(KEPT))
            await leader.crash()
            began = time.monotonic()
            last = f"turn {number} after"
            await walker.says(others[0], [last], "b")
            # One was perhaps under way already; those after it are another tab's doing.
            await walker.committed(last)
            after = sorted(at for at in walker.heard.values() if at > began)
            taken.append(after[:2][-1] - began)
            for tab in others:
                await walker.all_shown(tab, [*said, last])
            tabs = [*others, await walker.page()]
            await walker.all_shown(tabs[-1], [last])
    stage.expect(held, "messages were in the outbox when the tab that sends was killed")
    stage.figure("messages in the outbox when its tab was killed", held, "")
    stage.figure(
        "taken over",
        max(taken),
        "s",
        at_most=stage.choose(short=None, quick=TAKEN_OVER, full=TAKEN_OVER),
    )


async def _leader(tabs: list[Tab], seconds: float = 10) -> Tab:
    """The tab that sends for all."""
    async with asyncio.timeout(seconds):
        while True:
            for tab in tabs:
                if await tab.run(LEADS):
                    return tab
            await asyncio.sleep(0.02)


async def _stored(tab: Tab, texts: list[str]) -> None:
    """Wait until each is on the disk or in the log: before that a page has promised nothing."""
    while True:
        kept = await tab.run(KEPT)
        sent = [text for text, seq in await tab.run(SHOWN) if seq]
        if set(texts) <= {*kept, *sent}:
            return
        await asyncio.sleep(0.01)
