"""Somebody who writes at a real browser, behind a proxy, beside the load of a storm."""

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
from .stage import Stage

PASSWORD = "a quiet warm room"
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
