"""How much memory a process occupies, in bytes, as Linux counts it; 0 where the process is gone."""

from __future__ import annotations

import re
from pathlib import Path

MIB = 1024 * 1024


def resident(pid: int) -> int:
    """RSS: all pages that are in memory, shared ones too."""
    return _sum(pid, "status", "VmRSS")


def proportional(pid: int) -> int:
    """PSS: a page that several processes share counts in parts, so that sums are right."""
    return _sum(pid, "smaps_rollup", "Pss")


def private(pid: int) -> int:
    """USS: what is nobody else's, counted page by page."""
    return _sum(pid, "smaps_rollup", "Private_Clean", "Private_Dirty")


def _sum(pid: int, file: str, *names: str) -> int:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    found = re.findall(rf"^(?:{'|'.join(names)}):\s+([0-9]+) kB", text, re.MULTILINE)
    return 1024 * sum(map(int, found))
