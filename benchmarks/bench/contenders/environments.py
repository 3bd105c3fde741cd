"""Virtual environments of peers that are written in Python, from locks with hashes."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

from .children import carried_out, install_once

# Asked of the environment itself.
_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
print(json.dumps({"Python": platform.python_version(), **found}))
"""


def lacking() -> str | None:
    """None, or why none can be made here."""
    if shutil.which("uv") or importlib.util.find_spec("ensurepip"):
        return None
    return "Python's ensurepip is not installed: sudo apt-get install python3-venv, or uv"


def install(folder: Path, lock: Path) -> None:
    """An environment in `folder` with exactly what is in `lock`, unless it is there already."""
    python = folder / "bin" / "python"
    packages = ("--no-deps", "--require-hashes", "-r", lock)

    def fill() -> None:
        if shutil.which("uv"):
            carried_out(("uv", "venv", "-q", "--allow-existing", "-p", sys.executable, folder))
            carried_out(("uv", "pip", "install", "-q", "--python", python, *packages))
        else:
            carried_out((sys.executable, "-m", "venv", folder))
            carried_out((python, "-m", "pip", "install", "-q", "--no-input", *packages))

    install_once(folder, [lock], fill)


def versions_in(python: Path, *packages: str) -> dict[str, str]:
    """The versions of Python and of these packages in an environment."""
    found: dict[str, str] = json.loads(carried_out((python, "-c", _VERSIONS, *packages)))
    return found
