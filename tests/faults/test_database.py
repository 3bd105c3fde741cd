"""The database restarts, is locked by somebody else, or has no room left."""

from __future__ import annotations

from .playing import passes, plays


@plays("postgres-restarted")
async def test_postgresql_restarted_under_load(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("sqlite-locked")
async def test_sqlite_locked_from_outside(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("disk-full")
async def test_a_full_disk_and_space_again(name: str, mode: str) -> None:
    await passes(name, mode)
