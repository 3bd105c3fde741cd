"""The short form of a fault as a test."""

from __future__ import annotations

import os
from typing import cast

import pytest

from tertulia.testing.faults import everything, play
from tertulia.testing.faults.registry import Mode

# (fault, mode) of every short form that a test plays; `test_command.py` misses what is not here.
PLAYED: set[tuple[str, str]] = set()


def plays(*names: str) -> pytest.MarkDecorator:
    """Parametrizes a test by `name` and `mode`: these faults in every mode that they have."""
    faults = everything()
    pairs = [(name, mode) for name in names for mode in faults[name].modes]
    PLAYED.update(pairs)
    return pytest.mark.parametrize(("name", "mode"), pairs)


async def passes(name: str, mode: str) -> None:
    """Play it; skipped, loudly, where the machine lacks what it needs."""
    outcome = await play(name, cast(Mode, mode), length="short")
    if outcome.missing and os.environ.get("CI") != "true":
        pytest.skip(f"{name.upper()} IS NOT TESTED HERE: {outcome.missing}")
    assert outcome.passed, outcome.explained()
