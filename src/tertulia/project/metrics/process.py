"""What the system says of this process. What it does not tell (but on Linux) is left out."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

_PROC = Path("/proc/self")
_PAGE = resource.getpagesize()
_began = time.time()


def cpu_seconds() -> float:
    """User and system time of all threads."""
    return time.process_time()


def resident_bytes() -> int | None:
    """Resident memory now."""
    try:
        return int((_PROC / "statm").read_text().split()[1]) * _PAGE
    except OSError:
        return None


def open_files() -> int | None:
    """Open descriptors. Newer kernels tell the number without listing them all."""
    try:
        return (_PROC / "fd").stat().st_size or len(os.listdir(_PROC / "fd"))
    except OSError:
        return None


def open_files_limit() -> int:
    """The soft limit; -1 is none."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def start_time() -> float:
    """When this process began, near enough: when this module was loaded."""
    return _began
