"""Browsers and tabs killed with messages in their outbox, before and after the server's reply."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..checker import Violation
from ..chromium import Chromium, Tab
from ..client import Client, Frame
from ..installation import Installation
from ..proxy import Proxy
from ..server import Server
from ..stored import rows
from ..storm import Storm
from .registry import fault
from .stage import Stage

PASSWORD = "a quiet warm room"
# From the crash of the tab that sends to the next message of another one; the contract's number.
TAKEN_OVER = 2.0

# Messages that are written for a kill: the first is under way, the others wait behind it.
MESSAGES = 3

FORM = "() => document.querySelector('form [name=password]') !== null"
SIGN_IN = """(name, password) => {
  const form = document.querySelector("form[method=post]");
  form.elements.username.value = name;
  form.elements.password.value = password;
  form.submit();
}"""
MY_ID = "() => JSON.parse(document.getElementById('tertulia-page').textContent).me.id"
READY = """() => document.querySelector("tertulia-composer textarea") !== null
  && document.querySelector("#status").innerText.trim() === "" """
# The page's own composer, as a person uses it.
SAY = """(texts) => {
  const field = document.querySelector("tertulia-composer textarea");
  const enter = { key: "Enter", bubbles: true, cancelable: true };
  for (const text of texts) {
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keydown", enter));
  }
}"""
# The texts that the browser has on its disk, in the order of sending.
KEPT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("tertulia");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const database = opening.result;
    const asking = database.transaction("outbox").objectStore("outbox").getAll();
    asking.onerror = () => reject(asking.error);
    asking.onsuccess = () => {
      database.close();
      resolve(asking.result.map(({ text }) => text));
    };
  };
})"""
# What the room's log shows: [text, seq] from top to bottom; the seq is null while it is on its way.
SHOWN = """() => Array.from(document.querySelectorAll("[role=log] article"), (article) =>
  [article.querySelector(".text").innerText, Number(article.dataset.seq) || null])"""
ALL_SENT = """(texts) => {
  const log = document.querySelector("[role=log]");
  const parts = log.querySelectorAll("article[data-seq] .text");
  const sent = Array.from(parts, (part) => part.innerText);
  return texts.every((text) => sent.includes(text)) && !log.querySelector("article[data-key]");
}"""
# Whether this tab is the one that sends for all.
LEADS = """async () => {
  const mark = `which tab ${Math.random()}`;
  const ask = async () => (await navigator.locks.query()).held;
  const held = await navigator.locks.request(mark, ask);
  const me = held.find(({ name }) => name === mark).clientId;
  return held.some(({ name, clientId }) => name.startsWith("tertulia:outbox:") && clientId === me);
}"""
STORED = """SELECT message.text, message.seq FROM tertulia_chat_message message
    JOIN tertulia_chat_participant author ON author.id = message.author_id
    WHERE author.public_id = '{}' ORDER BY message.room_id, message.seq"""


class Walker:
    """Somebody who writes into a storm's room at a real browser, and what became of each word.

    `said`: his texts by the tab in which he wrote them, in order; `answered`: those that a page
    showed as sent, with their place in the log; `heard`: when the witness, who is connected all the
    time, was told of them, by the monotonic clock.
    """

    def __init__(self, stage: Stage, storm: Storm, proxy: Proxy, witness: Client) -> None:
        self.stage = stage
        self.storm = storm
        self.proxy = proxy
        self.witness = witness
        self.browser = Chromium(stage.folder() / "profile")
        self.person = ""
        self.said: dict[str, list[str]] = defaultdict(list)
        self.answered: dict[str, int] = {}
        self.heard: dict[str, float] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    async def sign_in(self, server: Server) -> None:
        """An account, its session in the profile, and its place in the room."""
        await asyncio.to_thread(server.createuser, "walker", password=PASSWORD)
        await self.browser.start()
        tab = await self.browser.tab(f"{self.url}/accounts/login/")
        await tab.until(FORM)
        await tab.run(SIGN_IN, "walker", PASSWORD)
        self.person = await tab.until(MY_ID)
        # Closed in peace once: a browser writes a new cookie to the disk only after a while.
        await self.browser.close()
        await self.witness.cmd("member.add", room=self.storm.room, member=self.person)
        await self.witness.subscribe(self.storm.room)
        self.witness.on_frame = self._hear

    async def page(self) -> Tab:
        """The room in a new tab, online and ready to be written in."""
        tab = await self.browser.tab(f"{self.url}/chat/{self.storm.room}/")
        await tab.until(READY)
        return tab

    async def says(self, tab: Tab, texts: list[str], where: str = "") -> None:
        """Returns when the page has taken them, and perhaps nobody else."""
        self.said[where] += texts
        await tab.run(SAY, texts)

    async def kept(self, tab: Tab, texts: list[str], seconds: float = 20) -> None:
        """Wait until the browser has these on its disk. TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                if set(texts) <= set(await tab.run(KEPT)):
                    return
                await asyncio.sleep(0.01)

    def _hear(self, frame: Frame) -> None:
        if frame["type"] == "message.created" and frame["actor"]["id"] == self.person:
            self.heard[frame["message"]["text"]] = time.monotonic()
        # A client keeps whatever came; nobody here asks for it again.
        for kept in (self.witness.frames, self.witness.events, self.witness.inbox):
            kept.clear()

    async def committed(self, text: str, seconds: float = 30) -> None:
        """Wait until the log has it: the witness heard of it. TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                if text in self.heard:
                    return
                await asyncio.sleep(0.002)

    async def all_shown(self, tab: Tab, texts: list[str]) -> None:
        """Wait until the page shows these as sent, and none on its way: each must be there once,
        and all in the order of the log."""
        await tab.until(ALL_SENT, texts, seconds=30)
        shown = [(text, seq) for text, seq in await tab.run(SHOWN) if text in texts]
        times = Counter(text for text, _ in shown)
        self.stage.blame(
            [Violation("I2", f"{t!r} is shown {n} times") for t, n in times.items() if n > 1]
        )
        seqs = [seq for _, seq in shown]
        self.stage.expect(seqs == sorted(seqs), f"a page shows the order of the log, not {shown}")
        for text, seq in shown:
            first = self.answered.setdefault(text, seq)
            self.stage.expect(first == seq, f"{text!r} has one place, not {first} and {seq}")

    def judge(self, server: Server) -> None:
        """What was said is in the log: each text once, and each tab's in the order of saying."""
        stored = [(text, seq) for text, seq in rows(server, STORED.format(self.person))]
        times = Counter(text for text, _ in stored)
        found = [Violation("I2", f"{t!r} is stored {n} times") for t, n in times.items() if n > 1]
        for where, texts in self.said.items():
            found += [Violation("I1", f"{text!r} was lost") for text in texts if not times[text]]
            mine = set(texts)
            order = [text for text, _ in stored if text in mine]
            if sorted(order) == sorted(texts) and order != texts:
                found.append(Violation("I3", f"the log has another order than tab {where!r}"))
        for text, seq in self.answered.items() - set(stored):
            found.append(Violation("I1", f"{text!r} was shown as {seq}, which it is not"))
        self.stage.blame(found)
        self.stage.outcome.acknowledged += len(self.answered)


@asynccontextmanager
async def walking(stage: Stage, installation: Installation) -> AsyncIterator[Walker]:
    """A browser signed in and admitted to a room with other load; all is checked at the end."""
    here = installation.here
    # Little: a page that is opened shows no more than the newest fifty.
    load = {"writers": 1, "followers": 2, "pause": 0.5}
    async with stage.storm(installation, **load) as storm, Proxy(here.port) as proxy:
        async with await Client.connect(here.ws, token=storm.owner_token) as witness:
            walker = Walker(stage, storm, proxy, witness)
            try:
                await walker.sign_in(here)
                await walker.browser.start()
                yield walker
            finally:
                await walker.browser.kill9()
        await asyncio.to_thread(walker.judge, here)


@fault("browser-killed", reach="1,000 kills, half after the commit: each message once", takes=2400)
async def browser_killed(stage: Stage) -> None:
    """A browser is killed with messages in its outbox, before and after the reply."""
    installation = stage.installation(servers=2)
    ports = [server.port for server in installation.servers]
    held, slowest = 0, 0.0
    async with walking(stage, installation) as walker:
        tab = await walker.page()
        for number in stage.trials(stage.choose(short=4, quick=24, full=1000)):
            texts = [f"kill {number}, message {n}" for n in range(MESSAGES)]
            held += await KILLS[number % len(KILLS)](walker, tab, texts)
            # Another process may be the one that is asked again.
            walker.proxy.upstream = ("127.0.0.1", ports[number % len(ports)])
            began = time.monotonic()
            await walker.browser.start()
            tab = await walker.page()
            await walker.all_shown(tab, texts)
            slowest = max(slowest, time.monotonic() - began)
    stage.figure("messages in the outbox when it was killed", held, "")
    stage.figure("from the start of a browser until all of them were shown as sent", slowest, "s")


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
    """The replies come while it is killed."""
    toxic = walker.proxy.add("bandwidth", rate=0, stream="downstream")
    await walker.says(tab, texts)
    await walker.kept(tab, texts)
    walker.proxy.remove(toxic)
    await asyncio.sleep(walker.stage.chance.uniform(0, 0.03))
    left = len(await tab.run(KEPT))
    await walker.browser.kill9()
    return left


KILLS = (_kill_unsent, _kill_committed, _kill_unsent, _kill_answered)


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
