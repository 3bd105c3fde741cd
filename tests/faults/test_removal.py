"""Somebody removed while others talk receives nothing behind his removal."""

from __future__ import annotations

from .playing import passes, plays


@plays("removed-in-a-burst")
async def test_no_event_behind_a_removal_in_a_burst(name: str, mode: str) -> None:
    await passes(name, mode)
