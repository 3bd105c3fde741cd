"""A guide in Markdown, carried out: its code blocks change files, its commands are run.

diff      the first line names a file, in which the lines with ` ` and `-` stand once
python    the first line names a file, perhaps with `, at the end`; without it, it only illustrates
console   lines that begin with `$ `
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tertulia.testing.processes import Process, free_port
from tertulia.testing.server import Server, clean_environment

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.S | re.M)
_FILE = re.compile(r"\s*# (\S+\.py)(, at the end)?\n")


class Project(Server):
    """A Django project in a folder of its own, changed and served as the guide says."""

    def __init__(self, folder: Path, guide: Path, replaced: dict[str, str]) -> None:
        super().__init__(data=folder, port=free_port())
        self.folder = folder
        # What a reader has elsewhere: `replaced` maps what the guide writes to what is here.
        self.replaced = {"8000": str(self.port), **replaced}
        self.blocks = _BLOCK.findall(guide.read_text())
        self.serving: list[str] = []
        self.not_run: list[str] = []
        # The programs of this interpreter's virtual environment are on the reader's PATH.
        programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**clean_environment(), "PATH": programs}

    # Blocks

    def steps(self) -> Iterator[str]:
        """Carries the guide out, and hands over each command when it has been run."""
        for language, text in self.blocks:
            for written, here in self.replaced.items():
                text = text.replace(written, here)
            if language == "diff":
                self._change(text)
            elif language == "python":
                self._write(text)
            else:
                assert language == "console", f"a block of {language}: who reads it?"
                yield from self._commands(text)

    def _change(self, text: str) -> None:
        named = _FILE.match(text)
        assert named, text
        lines = text[named.end() :].splitlines()
        assert all(line[:1] in (" ", "-", "+") for line in lines), text
        before = "".join(line[1:] + "\n" for line in lines if line[0] != "+")
        after = "".join(line[1:] + "\n" for line in lines if line[0] != "-")
        path = self.folder / named[1]
        content = path.read_text()
        assert content.count(before) == 1, f"{named[1]} has not once:\n{before}"
        path.write_text(content.replace(before, after))

    def _write(self, text: str) -> None:
        named = _FILE.match(text)
        if named is None:
            return
        path = self.folder / named[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        content = path.read_text() + "\n" if named[2] else ""
        path.write_text(content + text[named.end() :])

    # Commands

    def _commands(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            assert line.startswith("$ "), line
            words = shlex.split(line[2:])
            if words[0] == "pip":
                # The tests' environment has Tertulia already.
                self.not_run.append(line[2:])
            elif words[0] == "uvicorn":
                self.serving = words
                self.start()
            else:
                self.output = self.run(*words)
            yield line[2:]

    def run(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            words,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == status, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    # Serving

    def start(self, wait: bool = True) -> Project:
        self.process = Process(self.serving, self.log, env=self.environment, cwd=self.folder)
        if wait:
            self.wait_ready()
        return self

    def ready(self) -> bool:
        return self.status("/accounts/login/") == 200
