"""`tertulia.testing` as the package alone brings it: no optional part, no test framework."""

from __future__ import annotations

import subprocess
import sys

from tertulia.testing.server import clean_environment

# Imports every module where these cannot be had, then starts the command of the faults.
BARE = """
import importlib, pkgutil, sys

ABSENT = {"psycopg", "psycopg_pool", "redis", "channels_redis", "daphne",
          "pytest", "pytest_asyncio", "hypothesis", "playwright"}

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent)

import tertulia.testing
for module in pkgutil.walk_packages(tertulia.testing.__path__, "tertulia.testing."):
    importlib.import_module(module.name)
for service in (tertulia.testing.Postgres, tertulia.testing.Redis):
    try:
        service()
    except tertulia.testing.Missing as missing:
        print(missing)
from tertulia.testing.faults.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def faults(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BARE, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_every_module_can_be_imported_and_the_faults_listed() -> None:
    done = faults("--list")
    assert done.returncode == 0, done.stderr
    assert "redis-killed: " in done.stdout
    for extra in ("postgres", "redis"):
        assert f"tertulia[{extra}] is not installed: No module named" in done.stdout


def test_a_fault_that_needs_an_optional_part_names_it() -> None:
    done = faults("postgres-restarted")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "postgres-restarted (scaled): tertulia[postgres] is not installed" in done.stdout
