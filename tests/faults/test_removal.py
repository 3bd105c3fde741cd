"""Somebody removed while others talk receives nothing behind his removal."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_no_event_behind_a_removal_in_a_burst(mode: str) -> None:
    await passes("removed-in-a-burst", mode)
