"""Who does not read is closed with 1013, cut, and resumes; the others miss nothing."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize(
    "name", ["clients-that-do-not-read", "clients-that-do-not-read-under-uvicorn"]
)
async def test_clients_that_do_not_read(name: str) -> None:
    await passes(name, "sqlite")
