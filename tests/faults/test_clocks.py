"""Clocks that jump by an hour."""

from __future__ import annotations

from .playing import passes, plays


@plays("clocks-jump")
async def test_clocks_that_jump_by_an_hour_harm_nobody(name: str, mode: str) -> None:
    await passes(name, mode)
