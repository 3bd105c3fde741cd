"""The network between clients and servers breaks in every way that a proxy can break it."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("connections-reset", "scaled"),
        ("network-away", "sqlite"),
        ("network-toxics", "scaled"),
    ],
)
async def test_the_network_fails(name: str, mode: str) -> None:
    await passes(name, mode)
