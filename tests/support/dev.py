"""`bin/dev` in a copy of the source, which a test may change."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tertulia.testing.processes import wait_for
from tertulia.testing.server import Server
from tests import ROOT

PATIENCE = 30.0


class Dev(Server):
    """The copy, and the server that is started from it."""

    def __init__(self, **how: Any) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="tertulia-source-"))
        self.package = self.root / "src" / "tertulia"
        # With the times of the files, for which Python's compiled ones are good.
        shutil.copytree(ROOT / "src", self.root / "src")
        shutil.copytree(ROOT / "bin", self.root / "bin")
        for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            shutil.copy2(ROOT / name, self.root)
        self._use_this_environment()
        super().__init__(env={"PYTHONPATH": str(self.root / "src")}, **how)

    def _use_this_environment(self) -> None:
        """A `.venv` in which nothing is missing: the parts of the one that runs the tests."""
        venv = self.root / ".venv"
        venv.mkdir()
        for part in ("bin", "lib", "pyvenv.cfg"):
            (venv / part).symlink_to(Path(sys.prefix) / part)
        mark = 'root=$1 && . "$root/bin/_lib.sh" && fingerprint dev >"$root/.venv/.installed-dev"'
        subprocess.run(["bash", "-c", mark, "test", str(self.root)], check=True)

    def command(self) -> list[str]:
        data = ("--data", str(self.data))
        return [str(self.root / "bin" / "dev"), "--port", str(self.port), *data, *self.arguments]

    def change(self, name: str, old: str, new: str) -> None:
        """Edit one file of the package."""
        path = self.package / name
        text = path.read_text("utf-8")
        assert old in text, (name, old)
        path.write_text(text.replace(old, new), "utf-8")

    def append(self, name: str, line: str) -> None:
        """Add a line to one file of the package."""
        with (self.package / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    def remove(self) -> None:
        super().remove()
        shutil.rmtree(self.root, ignore_errors=True)


class Listener:
    """What a page that is open hears: which version the server is of, every second."""

    def __init__(self, server: Server) -> None:
        self._host = server.host
        self._connect()

    def _connect(self) -> None:
        self._connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        headers = {"Accept": "text/event-stream"}
        self._connection.request("GET", "/__reload__/events/", headers=headers)
        self._stream = self._connection.getresponse()

    def version(self) -> str:
        """The version that is told next; connects again as a page does."""
        while True:
            line = self._stream.readline()
            if not line:
                self.close()
                self._connect()
            elif line.startswith(b"data: "):
                return str(json.loads(line[6:])["versionId"])

    def hears_of_a_change(self, since: str) -> str:
        """Wait until the version is another; it."""
        heard = [since]

        def other() -> bool:
            heard.append(self.version())
            return heard[-1] != since

        wait_for(other, PATIENCE, "pages are told to reload", pause=0)
        return heard[-1]

    def close(self) -> None:
        self._connection.close()
