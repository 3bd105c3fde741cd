"""The Dockerfile, carried out step by step in a folder that stands for the image."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .sandbox import Sandbox
from .stand_in_pip import site_packages

Step = tuple[str, str]


def steps(dockerfile: str) -> list[Step]:
    """(INSTRUCTION, arguments) of each step."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    return [(name.upper(), rest.strip()) for name, rest in found]


def exec_form(text: str) -> list[str]:
    """The words of a command that no shell stands before."""
    words: list[str] = json.loads(text)
    assert all(isinstance(word, str) for word in words)
    return words


class Ignored:
    """What .dockerignore keeps out of the build: the last pattern that fits decides."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        self.patterns = [line for line in lines if line and not line.startswith("#")]

    def __call__(self, path: str) -> bool:
        ignored = False
        parts = path.split("/")
        heads = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        for pattern in self.patterns:
            wanted = pattern.lstrip("!")
            if any(self._fits(head, wanted) for head in heads):
                ignored = not pattern.startswith("!")
        return ignored

    @staticmethod
    def _fits(path: str, pattern: str) -> bool:
        if pattern.startswith("**/"):
            return fnmatch.fnmatch(path.rpartition("/")[2], pattern[3:])
        return path.count("/") == pattern.count("/") and fnmatch.fnmatch(path, pattern)


@dataclass
class Stage:
    """An image in the making, or made; paths in `env` are those of the machine here."""

    base: str
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    volumes: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    @property
    def packages(self) -> Path:
        """Where the program and what it needs are installed."""
        return site_packages(self.folder / "opt/tertulia")


class Build:
    """Carries the steps out. The stage at work is always at the same place, as in an image."""

    def __init__(self, context: Path, folder: Path) -> None:
        self.context = context
        self.ignored = Ignored((context / ".dockerignore").read_text())
        self.folder = folder
        self.stages: dict[str, Stage] = {}
        self.sandbox: Sandbox
        self.stage: Stage

    def run(self) -> Stage:
        for name, rest in steps((self.context / "Dockerfile").read_text()):
            getattr(self, f"_{name.lower()}")(rest)
        return self.stage

    def _from(self, rest: str) -> None:
        base, _, name = rest.partition(" AS ")
        if hasattr(self, "stage"):
            kept = self.folder / f"stage-{len(self.stages)}"
            self.stage.folder.rename(kept)
            self.stage.folder = kept
        self.stage = Stage(base, self.folder / "image")
        self.stages[name or "last"] = self.stage
        self.sandbox = Sandbox(self.stage.folder)
        # As python's images have it; our stand-in builds virtual environments only.
        self.stage.env = {"PATH": os.environ["PATH"]}

    def _env(self, rest: str) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            value = value.replace("$PATH", self.stage.env["PATH"])
            self.stage.env[name] = self.sandbox.inside(value)

    def _workdir(self, rest: str) -> None:
        self.stage.workdir = rest
        self.sandbox.path(rest).mkdir(parents=True, exist_ok=True)

    def _run(self, rest: str) -> None:
        self.sandbox.run(rest, cwd=self.sandbox.path(self.stage.workdir), env=self.stage.env)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        before = re.fullmatch(r"--from=(\w+)", sources[0])
        into = self.sandbox.path(os.path.join(self.stage.workdir, target))
        if before:
            shutil.copytree(self.stages[before[1]].folder / sources[1][1:], into, symlinks=True)
            return
        for name in sources:
            assert not self.ignored(name), f".dockerignore keeps {name} out"
            source = self.context / name
            if source.is_dir():
                shutil.copytree(source, into, ignore=self._left_out)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into)

    def _left_out(self, folder: str, names: list[str]) -> list[str]:
        base = Path(folder).relative_to(self.context)
        return [name for name in names if self.ignored(str(base / name))]

    def _user(self, rest: str) -> None:
        self.stage.user = rest

    def _volume(self, rest: str) -> None:
        self.stage.volumes.append(rest)

    def _expose(self, rest: str) -> None:
        self.stage.ports.append(rest)

    def _entrypoint(self, rest: str) -> None:
        self.stage.entrypoint = exec_form(rest)

    def _cmd(self, rest: str) -> None:
        self.stage.command = exec_form(rest)

    def _healthcheck(self, rest: str) -> None:
        self.stage.healthcheck = exec_form(rest.partition("CMD ")[2])
