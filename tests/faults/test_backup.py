"""A backup restored under load, while servers run."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_a_restored_backup_makes_every_client_load_afresh(mode: str) -> None:
    await passes("backup-restored", mode)
