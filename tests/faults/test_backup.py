"""A backup restored under load, while servers run."""

from __future__ import annotations

from .playing import passes, plays


@plays("backup-restored")
async def test_a_restored_backup_makes_every_client_load_afresh(name: str, mode: str) -> None:
    await passes(name, mode)
