"""Clocks that jump by an hour."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_clocks_that_jump_by_an_hour_harm_nobody(mode: str) -> None:
    await passes("clocks-jump", mode)
