"""Who does not read is closed with 1013, cut, and resumes; the others miss nothing."""

from __future__ import annotations

from .playing import passes, plays


@plays("clients-that-do-not-read", "clients-that-do-not-read-under-uvicorn")
async def test_clients_that_do_not_read(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("slow-clients-and-the-others")
async def test_the_others_beside_slow_clients(name: str, mode: str) -> None:
    await passes(name, mode)
