"""A systemd unit, and as much of what systemd makes of it as can be done without systemd."""

from __future__ import annotations

import shlex
import sys
from collections import defaultdict
from pathlib import Path

# Says to the kernel what systemd would, and becomes the command. 38 and 65 are from
# <linux/prctl.h>; a kernel without the second (before 6.3) refuses it, and nothing is checked.
_CONFINED = """
import ctypes, os, sys
os.umask(int(sys.argv[1], 8))
prctl = ctypes.CDLL(None).prctl
assert prctl(38, 1, 0, 0, 0) == 0  # NoNewPrivileges
prctl(65, 1, 0, 0, 0)  # MemoryDenyWriteExecute
os.execv(sys.argv[2], sys.argv[2:])
"""


class Unit:
    """The settings of a unit file; one that is given anew with nothing is emptied first."""

    def __init__(self, text: str) -> None:
        self.settings: dict[str, list[str]] = defaultdict(list)
        for line in text.splitlines():
            name, mark, value = line.strip().partition("=")
            if not mark or name.startswith(("#", ";")):
                continue
            self.settings[name].append(value)

    def one(self, name: str) -> str:
        (value,) = self.settings[name]
        return value

    def seconds(self, name: str) -> int:
        return int(self.one(name))

    def environment(self, inside: Path | None = None) -> dict[str, str]:
        """Environment= and, if it is there, the file of EnvironmentFile=."""
        words = [word for line in self.settings["Environment"] for word in shlex.split(line)]
        lines = inside.read_text().splitlines() if inside else []
        for line in lines:
            if line.strip() and not line.startswith("#"):
                words += shlex.split(line)
        return dict(word.split("=", 1) for word in words)

    def confined(self, command: list[str]) -> list[str]:
        """The command with the unit's limits upon it."""
        assert self.one("NoNewPrivileges") == self.one("MemoryDenyWriteExecute") == "yes"
        return [sys.executable, "-c", _CONFINED, self.one("UMask"), *command]
