"""A browser, or the tab that sends for all, is killed with messages in its outbox."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_a_killed_browser_sends_each_message_once(mode: str) -> None:
    await passes("browser-killed", mode)


async def test_three_tabs_and_the_one_that_sends_is_killed() -> None:
    await passes("tabs-leader-killed", "sqlite")
