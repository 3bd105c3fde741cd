"""What the first visit to a room costs: requests, bytes over the wire, time to the first message.

    .venv/bin/python benchmarks/page_weight.py

A real browser with an empty cache asks a real server. README.md beside this says how.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.chromium import launched  # noqa: E402

from tests.e2e.pages import Person  # noqa: E402
from tests.support.demo import demo_site  # noqa: E402

ROOM = "reading-app"
BUDGET = 60_000  # bytes of JavaScript, compressed
KINDS = ("Document", "Stylesheet", "Script", "Image", "Other")
# The frame after the first message is in the page, and the moment that it has been handed over.
FIRST_MESSAGE = """
    const watcher = new MutationObserver(() => {
        if (!document.querySelector("article[data-seq]")) return;
        watcher.disconnect();
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { window.firstMessage = performance.now(); };
            port2.postMessage(null);
        });
    });
    watcher.observe(document, { subtree: true, childList: true });
"""


@dataclass
class Traffic:
    """What the browser's own network log says. Sizes are those on the wire, without headers."""

    kinds: dict[str, str] = field(default_factory=dict)
    headers: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    frame_bytes: int = 0

    def listen(self, page: Page) -> None:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.responseReceived", self._answered)
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._framed)

    def _answered(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        self.kinds[event["requestId"]] = kind if kind in KINDS else "Other"
        self.headers[event["requestId"]] = event["response"]["encodedDataLength"]

    def _finished(self, event: dict[str, Any]) -> None:
        key = event["requestId"]
        self.sizes[key] = int(event["encodedDataLength"]) - self.headers.get(key, 0)

    def _framed(self, event: dict[str, Any]) -> None:
        self.frames += 1
        self.frame_bytes += len(event["response"]["payloadData"].encode())

    def by_kind(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for key, size in self.sizes.items():
            found[self.kinds.get(key, "Other")].append(size)
        return found


def visit(browser: Browser, url: str, cookies: Any) -> tuple[Traffic, float]:
    """A first visit, all caches empty, and what it took."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.add_cookies(cookies)
    page, traffic = context.new_page(), Traffic()
    page.add_init_script(FIRST_MESSAGE)
    traffic.listen(page)
    page.goto(f"{url}/chat/{ROOM}/")
    page.wait_for_function("() => window.firstMessage")
    page.wait_for_load_state("networkidle")
    painted: float = page.evaluate("window.firstMessage")
    context.close()
    return traffic, painted


def report(traffic: Traffic, times: list[float]) -> bool:
    found = traffic.by_kind()
    print(f"{'kind':<12} {'requests':>8} {'bytes':>9}")
    for kind in KINDS:
        if kind in found:
            print(f"{kind:<12} {len(found[kind]):>8} {sum(found[kind]):>9,}")
    print(f"{'WebSocket':<12} {traffic.frames:>8} {traffic.frame_bytes:>9,}")
    total = sum(map(sum, found.values())) + traffic.frame_bytes
    print(f"{'all':<12} {sum(map(len, found.values())):>8} {total:>9,}")
    shown = ", ".join(f"{time:.0f}" for time in sorted(times))
    print(f"first message painted after {shown} ms ({len(times)} visits)")
    script = sum(found["Script"])
    good = script <= BUDGET
    print(f"{'met' if good else 'NOT met'}: JavaScript {script:,} of {BUDGET:,} bytes")
    return good


def main() -> int:
    with demo_site() as (server, password), sync_playwright() as playwright:
        browser = launched(playwright)
        ana = Person(browser.new_page(locale="en-GB"), server.url)
        ana.signs_in("ana", password)
        cookies = ana.page.context.cookies()
        ana.page.close()
        visits = [visit(browser, server.url, cookies) for _ in range(5)]
        browser.close()
    return 0 if report(visits[0][0], [time for _, time in visits]) else 1


if __name__ == "__main__":
    sys.exit(main())
