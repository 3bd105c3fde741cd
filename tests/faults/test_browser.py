"""A browser, or the tab that sends for all, is killed with messages in its outbox."""

from __future__ import annotations

from .playing import passes, plays


@plays("browser-killed")
async def test_a_killed_browser_sends_each_message_once(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("tabs-leader-killed")
async def test_three_tabs_and_the_one_that_sends_is_killed(name: str, mode: str) -> None:
    await passes(name, mode)
