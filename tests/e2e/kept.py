"""What a browser keeps for a site: a message just said may still be on its way there."""

from __future__ import annotations

import time

from playwright.sync_api import Frame, Page

# All that a page finds in its own storage: the texts of messages, and what has a name.
KEPT = """async () => {
    const done = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const named = (await indexedDB.databases()).some(({ name }) => name === "tertulia");
    const database = named ? await done(indexedDB.open("tertulia")) : null;
    const messages = database
        ? await done(database.transaction("outbox").objectStore("outbox").getAll()) : [];
    database?.close();
    return [...messages.map(({ text }) => text),
        ...Object.values(localStorage), ...Object.values(sessionStorage)];
}"""


def keeps(where: Page | Frame, *texts: str, seconds: float = 20) -> None:
    """Until these are on the disk, which a busy one takes its time for. Who closes the tab before
    that is asked by the browser whether he means it; Playwright's closing asks nobody."""
    deadline = time.monotonic() + seconds
    while missing := set(texts).difference(where.evaluate(KEPT)):
        assert time.monotonic() < deadline, f"after {seconds} s still not kept: {missing}"
        time.sleep(0.05)
