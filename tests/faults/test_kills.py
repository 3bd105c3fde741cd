"""Servers killed without warning, and restarted politely, under load."""

from __future__ import annotations

import pytest

from .playing import passes


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_sigkill_at_random_under_load(mode: str) -> None:
    await passes("killed-at-random", mode)


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_killed_between_a_commit_and_telling_of_it(mode: str) -> None:
    await passes("killed-after-commit", mode)


async def test_one_of_two_workers_killed_under_load() -> None:
    await passes("worker-killed", "scaled")


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_polite_restarts_under_load(mode: str) -> None:
    await passes("rolling-restart", mode)


@pytest.mark.parametrize("mode", ["sqlite", "scaled"])
async def test_everybody_returns_at_once(mode: str) -> None:
    await passes("everybody-returns", mode)
