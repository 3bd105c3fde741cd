"""On what was measured, so that figures can be read later."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from .build import compiler

ROOT = Path(__file__).parents[2]


def described() -> dict[str, str | int]:
    """Processor, memory, kernel and the programs that every contender shares."""
    return {
        "processor": _first("/proc/cpuinfo", r"model name\s*:\s*(.+)") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(_first("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) // 1024,
        "kernel": f"{platform.system()} {platform.release()}",
        "system": _first("/etc/os-release", r'PRETTY_NAME="?([^"\n]+)') or "",
        "python": platform.python_version(),
        "compiler": _said(compiler() or "cc", "--version"),
        "commit": _commit(),
    }


def kind(machine: dict[str, str | int]) -> str:
    """A short word for files: cores and processor."""
    words = re.sub(r"\(.*?\)|CPU|Processor|@.*", " ", str(machine["processor"]))
    name = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:32].strip("-")
    return f"{machine['cores']}-cores-{name}"


def _first(file: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(file).read_text())
    except OSError:
        return None
    return found[1].strip() if found else None


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout else ""


def _commit() -> str:
    commit = _said("git", "rev-parse", "--short=10", "HEAD")
    changed = _said("git", "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with changes" if commit and changed else commit or "unknown"
