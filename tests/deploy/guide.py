"""docs/deployment.md: its blocks of commands and configuration, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests import ROOT

FILE = ROOT / "docs" / "deployment.md"


@dataclass(frozen=True)
class Block:
    """One fenced block, and the heading under which it stands."""

    heading: str
    language: str
    text: str


def blocks() -> list[Block]:
    """All of them."""
    found, heading = [], ""
    parts = re.finditer(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$",
        FILE.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    for part in parts:
        if part["heading"] is not None:
            heading = part["heading"]
        else:
            found.append(Block(heading, part["language"], part["text"]))
    return found
