"""The site of `bin/demo` with a server of its own: for pictures and measurements."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tertulia.testing.server import Server, clean_environment


def fill(folder: Path, *arguments: str) -> str:
    """What `bin/demo` does before it serves; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "tertulia.project.demo", "--data", str(folder), *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def demo_site(history: int = 300) -> Iterator[tuple[Server, str]]:
    """A running server, and the password of everybody; gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), "--history", str(history))
        server = Server(data=Path(folder), env={"TERTULIA_LIMITS": "off"}).start()
        try:
            yield server, (Path(folder) / "demo-password").read_text()
        finally:
            server.remove()
