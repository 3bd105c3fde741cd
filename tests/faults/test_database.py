"""The database restarts, is locked by somebody else, or has no room left."""

from __future__ import annotations

import pytest

from .playing import passes


async def test_postgresql_restarted_under_load() -> None:
    await passes("postgres-restarted", "scaled")


async def test_sqlite_locked_from_outside() -> None:
    await passes("sqlite-locked", "sqlite")


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_a_full_disk_and_space_again(mode: str) -> None:
    await passes("disk-full", mode)
