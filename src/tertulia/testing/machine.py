"""On what something was measured or proved, so that it can be read later."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def described() -> dict[str, str | int]:
    """Processor, cores that may be used, memory (MiB), kernel, system and Python."""
    return {
        "processor": _first("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "memory_mib": int(_first("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "system": _first("/etc/os-release", r'PRETTY_NAME="?([^"\n]+)') or "",
        "python": platform.python_version(),
    }


def kind(machine: dict[str, str | int]) -> str:
    """A short word for files: cores and processor."""
    words = re.sub(r"\(.*?\)|CPU|Processor|@.*", " ", str(machine["processor"]))
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:32].strip("-")
    return f"{machine['cores']}-cores-{name}"


def said(*command: str, folder: Path | None = None) -> str:
    """The first line that a program prints; empty when it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else ""


def commit(clone: Path) -> str:
    """Which commit a clone stands at, and whether files were changed since; "unknown" elsewhere."""
    found = said("git", "rev-parse", "--short=10", "HEAD", folder=clone)
    changed = said("git", "status", "--porcelain", "--untracked-files=no", folder=clone)
    return f"{found} with changes" if found and changed else found or "unknown"


def _first(file: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(file).read_text())
    except OSError:
        return None
    return found[1].strip() if found else None
