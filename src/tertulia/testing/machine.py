"""On what something was measured or proved, so that it can be read later."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .services import Missing, find_program

# The packages whose versions say most about a server.
PACKAGES = ("tertulia", "Django", "uvicorn", "channels-redis", "psycopg")


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


def clone() -> Path | None:
    """The root of the clone whose package this is; None where it was installed."""
    root = Path(__file__).parents[3]
    return root if _is_ours(root) else None


def commit(root: Path | None) -> str:
    """Which commit a clone stands at, and whether files were changed since; "unknown" elsewhere.

    Another project's repository around an installed package is not asked.
    """
    if root is None or not (_is_ours(root) and (root / ".git").exists()):
        return "unknown"
    found = said("git", "rev-parse", "--short=10", "HEAD", folder=root)
    changed = said("git", "status", "--porcelain", "--untracked-files=no", folder=root)
    return f"{found} with changes" if found and changed else found or "unknown"


def _is_ours(folder: Path) -> bool:
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text()).get("project", {})
    except (OSError, ValueError):
        return False
    name: object = project.get("name")
    return name == "tertulia"


def command(name: str) -> str:
    """How `tertulia.testing.NAME` is started here: by its script in a clone, else by Python."""
    return f"bin/{name}" if clone() else f"python -m tertulia.testing.{name}"


def results() -> Path:
    """Where the pages of faults and soaks are kept unless another folder is named."""
    return Path("docs/faults" if clone() else "faults")


def versions() -> dict[str, str]:
    """What a server stands on: Python, packages, and the programs that are installed here."""
    found = {"Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    found["SQLite"] = sqlite3.sqlite_version
    for name, program in (("PostgreSQL", "postgres"), ("Redis", "redis-server")):
        try:
            words = said(find_program(program), "--version").split()
        except Missing:
            continue
        numbers = (word.removeprefix("v=") for word in words)
        found[name] = next((each for each in numbers if each[:1].isdigit()), "unknown")
    return found


def proved_on() -> dict[str, Any]:
    """`described()`, the commit, and the versions of what a server stands on."""
    return {**described(), "commit": commit(clone()), "versions": versions()}


def told(on: dict[str, Any]) -> str:
    """What `proved_on()` has found, in sentences for the head of a page."""
    return (
        f"{on['processor']}, {on['cores']} cores, {on['memory_mib']:,} MiB, {on['system']},"
        f" {on['kernel']}. {', '.join(f'{name} {what}' for name, what in on['versions'].items())};"
        f" commit {on['commit']}."
    )


def _first(file: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(file).read_text())
    except OSError:
        return None
    return found[1].strip() if found else None
