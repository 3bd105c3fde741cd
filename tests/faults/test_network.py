"""The network between clients and servers breaks in every way that a proxy can break it."""

from __future__ import annotations

from .playing import passes, plays


@plays("connections-reset", "network-away", "network-toxics", "half-open")
async def test_the_network_fails(name: str, mode: str) -> None:
    await passes(name, mode)
