"""On what was measured, so that figures can be read later."""

from __future__ import annotations

from pathlib import Path

from tertulia.testing.machine import commit, kind, said
from tertulia.testing.machine import described as machine

from .build import compiler

__all__ = ["ROOT", "described", "kind"]

ROOT = Path(__file__).parents[2]


def described() -> dict[str, str | int]:
    """Processor, memory, kernel and the programs that every contender shares."""
    return {
        **machine(),
        "compiler": said(compiler() or "cc", "--version"),
        "commit": commit(ROOT),
    }
