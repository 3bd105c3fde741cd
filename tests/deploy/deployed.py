"""A server started by a command that a file of the project holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tertulia.testing.processes import Process
from tertulia.testing.server import Server


class Deployed(Server):
    """Started by `words` in exactly this environment; the port is put after them.

    The other tests' ways in (`people`, `cli` …) go to the same data, by the same settings and
    the same program: `packages` is where that is installed.
    """

    def __init__(
        self, words: Sequence[str], env: dict[str, str], data: Path, packages: Path
    ) -> None:
        super().__init__(data=data)
        self.words = list(words)
        self.exact = env
        settings = {name: value for name, value in env.items() if name != "PATH"}
        self.env = {**settings, "PYTHONPATH": str(packages)}

    def command(self) -> list[str]:
        return [*self.words, "--port", str(self.port)]

    def start(self, wait: bool = True) -> Deployed:
        self.process = Process(self.command(), self.log, env=self.exact, cwd=self.data)
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.remove()
                raise
        return self
