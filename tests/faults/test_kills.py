"""Servers killed without warning, and restarted politely, under load."""

from __future__ import annotations

from .playing import passes, plays


@plays("killed-at-random")
async def test_sigkill_at_random_under_load(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("killed-after-commit")
async def test_killed_between_a_commit_and_telling_of_it(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("worker-killed")
async def test_one_of_two_workers_killed_under_load(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("rolling-restart")
async def test_polite_restarts_under_load(name: str, mode: str) -> None:
    await passes(name, mode)


@plays("everybody-returns")
async def test_everybody_returns_at_once(name: str, mode: str) -> None:
    await passes(name, mode)
