"""The command line in an environment of the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tertulia.testing.server import clean_environment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("token", "ana", stdin="", NAME="value", …)`: python -m tertulia, data in tmp_path."""

    def command(
        *arguments: str, stdin: str = "", seconds: float = 60, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tertulia", *arguments],
            input=stdin,
            env=clean_environment(**{"TERTULIA_DATA": str(tmp_path / "data"), **env}),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=seconds,
        )

    return command


def check_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit status 2 and one clear line on standard error that holds these words."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0], lines[0]
