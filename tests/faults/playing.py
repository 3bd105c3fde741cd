"""The short form of a fault as a test."""

from __future__ import annotations

import os
from typing import cast

import pytest

from tertulia.testing.faults import play
from tertulia.testing.faults.registry import Mode


async def passes(name: str, mode: str) -> None:
    """Play it; skipped, loudly, where the machine lacks what it needs."""
    outcome = await play(name, cast(Mode, mode), length="short")
    if outcome.missing and os.environ.get("CI") != "true":
        pytest.skip(f"{name.upper()} IS NOT TESTED HERE: {outcome.missing}")
    assert outcome.passed, outcome.explained()
