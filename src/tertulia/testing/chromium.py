"""A real Chromium in a process of its own, driven by its DevTools protocol: it can be killed.

What it keeps (cookies, IndexedDB) is in a profile folder and outlives the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from .processes import Process
from .server import clean_environment
from .services import Missing

# Without windows first: the same engine in half of the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PATIENCE = 20.0

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    # A tab that nobody looks at works as one in front: which of several is in front is no matter.
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    # Tabs of one site never share a process, so that one of them can be killed alone.
    *("--process-per-tab", "--remote-debugging-port=0", "about:blank"),
)


class Failed(Exception):
    """The browser answered by an error, or a script in a page threw."""


def find_chromium() -> str:
    """Its full path; the environment's CHROMIUM comes first. Raises `Missing`."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise Missing("no Chromium: install it, or set CHROMIUM to its path")
    return found


class Chromium:
    """One browser process at a time over one profile folder; `start` again after `kill9`."""

    def __init__(self, profile: Path) -> None:
        self.program = find_chromium()
        self.profile = profile
        self.process: Process | None = None
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def start(self) -> Chromium:
        """Returns when it takes commands."""
        self.profile.mkdir(exist_ok=True)
        where = self.profile / "DevToolsActivePort"
        where.unlink(missing_ok=True)
        command = [self.program, f"--user-data-dir={self.profile}", *_OPTIONS]
        self.process = Process(command, self.profile / "log", env=clean_environment())
        deadline = time.monotonic() + PATIENCE
        # Written in one go, but not by one call: complete once it has both lines.
        while not where.exists() or len(where.read_text().splitlines()) < 2:
            if not self.process.running or time.monotonic() > deadline:
                log = (self.profile / "log").read_text(errors="replace")[-2000:]
                raise Failed(f"Chromium did not start:\n{log}")
            await asyncio.sleep(0.02)
        port, path = where.read_text().splitlines()[:2]
        self._socket = await connect(
            f"ws://127.0.0.1:{port}{path}", max_size=None, ping_interval=None, proxy=None
        )
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def kill9(self) -> None:
        """SIGKILL to all of its processes; nothing in it has a last word."""
        if self.process is None:
            return
        process, self.process = self.process, None
        await asyncio.to_thread(process.kill9)
        await self._let_go()

    async def close(self) -> None:
        """As a person closes it: what it has not written yet, it writes."""
        if self.process is None:
            return
        with contextlib.suppress(Failed):
            await self.command("Browser.close")
        process, self.process = self.process, None
        with contextlib.suppress(TimeoutError):
            await asyncio.to_thread(process.popen.wait, PATIENCE)
        await asyncio.to_thread(process.stop)
        await self._let_go()

    async def _let_go(self) -> None:
        if self._socket is not None and self._reader is not None:
            await self._socket.close()
            await self._reader
        self._socket = self._reader = None

    async def _read(self, socket: ClientConnection) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for data in socket:
                frame = json.loads(data)
                waiter = self._waiting.pop(frame.get("id"), None)
                if waiter is None or waiter.done():
                    continue
                if "error" in frame:
                    waiter.set_exception(Failed(frame["error"]["message"]))
                else:
                    waiter.set_result(frame["result"])
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(Failed("the browser is gone"))
        self._waiting.clear()

    async def command(
        self, method: str, *, session: str = "", seconds: float = PATIENCE, **parameters: Any
    ) -> Any:
        """One command of the DevTools protocol; its result, or `Failed`."""
        number = next(self._numbers)
        waiter = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self.send(number, method, session, parameters)
            return await asyncio.wait_for(waiter, seconds)
        except TimeoutError:
            raise Failed(f"no answer to {method} in {seconds:g} s") from None
        finally:
            self._waiting.pop(number, None)

    async def send(self, number: int, method: str, session: str, parameters: Any) -> None:
        """A command without its answer."""
        frame = {"id": number, "method": method, "params": parameters}
        if session:
            frame["sessionId"] = session
        try:
            if self._socket is None:
                raise Failed("the browser is not running")
            await self._socket.send(json.dumps(frame))
        except websockets.ConnectionClosed:
            raise Failed("the browser is gone") from None

    async def tab(self, address: str) -> Tab:
        """A new tab, which begins to load the address."""
        target = (await self.command("Target.createTarget", url=address))["targetId"]
        attached = await self.command("Target.attachToTarget", targetId=target, flatten=True)
        return Tab(self, target, attached["sessionId"])


class Tab:
    """One page of a `Chromium`."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self.browser = browser
        self.target = target
        self.session = session

    async def run(self, script: str, *arguments: Any) -> Any:
        """What the function in `script` returns, by JSON; promises are awaited."""
        call = f"({script})({', '.join(map(json.dumps, arguments))})"
        answer = await self.browser.command(
            "Runtime.evaluate",
            session=self.session,
            expression=call,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise Failed(thrown.get("exception", {}).get("description") or thrown["text"])
        return answer["result"].get("value")

    async def until(self, script: str, *arguments: Any, seconds: float = PATIENCE) -> Any:
        """`run` again and again until what it returns is true for JavaScript and Python alike."""
        deadline = time.monotonic() + seconds
        while True:
            # While a page is loaded the one before it is gone from under the script.
            with contextlib.suppress(Failed):
                if found := await self.run(script, *arguments):
                    return found
            if time.monotonic() > deadline:
                raise Failed(f"after {seconds:g} s still not: {script} {arguments}")
            await asyncio.sleep(0.03)

    async def crash(self) -> None:
        """The tab's process ends at once, as by SIGKILL; other tabs and the browser go on."""
        # There is nobody left to answer the command.
        await self.browser.send(0, "Page.crash", self.session, {})


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Chromium]:
    """A running browser, killed at the end."""
    browser = Chromium(profile)
    try:
        yield await browser.start()
    finally:
        await browser.kill9()
