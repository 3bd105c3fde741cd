"""A folder that stands for a machine: what is written for one runs in it, and changes nothing else.

Absolute paths of the commands are led into the folder. What would change the machine itself
(`useradd`, `systemctl`, `apt-get` …) is only written down; `sudo` and `runuser` run what follows.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Folders of the machine that the project's commands name.
_OWN = "opt|data|secrets|wheels|source|etc|var|usr/local|make-secrets\\.sh"
_PATH = re.compile(
    rf"(?<![\w.$:/)-])/(?=(?:{_OWN})(?:[/\s\"':;]|$))|(?<=--directory )/(?=\s)", re.MULTILINE
)

PIP = Path(__file__).with_name("stand_in_pip.py")

# What a program is there: `@S@` is the sandbox, `@P@` this Python, `@PIP@` what stands for pip.
_NOTE = 'printf "%s\\n" "${0##*/} $*" >>@S@/.done\n'
STAND_INS = {
    "sudo": '[ "$1" != -u ] || shift 2\nexec "$@"\n',
    "runuser": 'shift 3\nexec "$@"\n',
    # Owners are users of the machine that is stood for.
    "install": f"""
{_NOTE}for word; do
  shift
  case $word in
    --owner=* | --group=*) ;;
    -o | -g) skip=1 ;;
    *) [ -n "${{skip:-}}" ] || set -- "$@" "$word"; skip= ;;
  esac
done
exec /usr/bin/install "$@"
""",
    "pip": 'exec @P@ @PIP@ "$@"\n',
    # A virtual environment has a pip of its own, unless it is told not to.
    "python": """
case $* in
  "-m venv --without-pip "*) exec @P@ "$@" ;;
  "-m venv "*)
    @P@ -m venv --without-pip "$3"
    printf '#!/bin/sh\\nexec @P@ @PIP@ --python %s "$@"\\n' "$3" >"$3/bin/pip"
    chmod +x "$3/bin/pip" ;;
  *) exec @P@ "$@" ;;
esac
""",
}
RECORDED = (
    *("apt-get", "useradd", "systemctl", "journalctl", "git"),
    *("docker", "nginx", "certbot", "tertulia"),
)


class Sandbox:
    """`run()` is a shell with the machine's commands; `done` what would have changed it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / ".programs"
        self.programs.mkdir(parents=True)
        (folder / ".done").touch()
        for name in RECORDED:
            self.stand_in(name, _NOTE)
        for name, script in STAND_INS.items():
            self.stand_in(name, script)
        self.stand_in("python3", STAND_INS["python"])

    def stand_in(self, name: str, script: str) -> None:
        """A program of the machine; what was there under the name is not reached."""
        words = {"@S@": str(self.folder), "@P@": sys.executable, "@PIP@": str(PIP)}
        for word, meant in words.items():
            script = script.replace(word, shlex.quote(meant))
        path = self.programs / name
        path.write_text(f"#!/bin/sh\nset -eu\n{script}")
        path.chmod(0o755)

    @staticmethod
    def recorded(folder: Path) -> list[str]:
        """What would have changed the machine that stands in this folder, in its order."""
        return (folder / ".done").read_text().splitlines()

    @property
    def done(self) -> list[str]:
        """What would have changed the machine, in its order."""
        return self.recorded(self.folder)

    def inside(self, text: str) -> str:
        """The text with the machine's paths led into the folder."""
        return _PATH.sub(f"{self.folder}/", text)

    def path(self, absolute: str) -> Path:
        """Where a path of the machine is."""
        return self.folder / absolute.lstrip("/")

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Little more than the programs."""
        given = dict(env or {})
        path = given.pop("PATH", os.environ["PATH"])
        return {"PATH": f"{self.programs}:{path}", "HOME": str(self.folder), **given}

    def run(self, script: str, *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
        """What the script prints; it must succeed."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.inside(script)],
            cwd=cwd,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ended.returncode == 0, f"{script}\n{ended.stdout}{ended.stderr}"
        return ended.stdout
