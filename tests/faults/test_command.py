"""`bin/faults`: its table, its exit statuses, Ctrl-C. Everything by the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.processes import descendants
from tertulia.testing.server import clean_environment

# A fault that needs no server: what it does is said by the environment variable DO.
EXTRA = '''
import asyncio, os, sys
from tertulia.testing.faults import Missing, everything, fault
from tertulia.testing.faults import __main__ as command

@fault("made-up", modes=("sqlite",), reach="all is well", takes=1)
async def made_up(stage):
    """Does what it is told."""
    do = os.environ["DO"]
    stage.trial(3)
    stage.answered(1_234)
    stage.figure("speed", 2.5, "s", at_most=2 if do == "slow" else 3)
    stage.expect(do != "broken", "it is whole")
    if do == "missing":
        raise Missing("a moon is not to be had")
    if do == "raise":
        raise ValueError("by surprise")
    if do == "wait":
        stage.installation()
        stage.say("up")
        await asyncio.sleep(600)

sys.exit(command.main())
'''


def command(*arguments: str, do: str = "pass") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EXTRA, *arguments],
        env=clean_environment(DO=do),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(*arguments: str, do: str = "pass") -> tuple[int, str, str]:
    """Exit status, output and errors."""
    process = command(*arguments, do=do)
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


@pytest.mark.parametrize(
    ("do", "status", "told"),
    [
        ("pass", 0, "speed 2.5 s (≤ 3)"),
        ("slow", 1, "beyond its bound: speed 2.5 s (≤ 2)"),
        ("broken", 1, "does not hold: it is whole"),
        ("raise", 1, "ValueError: by surprise"),
        ("missing", 3, "made-up (sqlite): a moon is not to be had"),
    ],
)
def test_the_status_says_whether_all_passed(do: str, status: int, told: str) -> None:
    code, output, errors = ran("made-up", do=do)
    assert code == status
    assert told in output + errors
    assert "1,234" in output


def test_what_is_not_known_is_told_in_a_line() -> None:
    code, output, errors = ran("made-up", "no-such", "nor-this")
    assert (code, output) == (2, "")
    assert errors == "faults: no fault is called no-such, nor-this; see --list\n"
    assert ran("made-up", "--mode", "scaled")[0] == 2


def test_the_list_names_every_fault_with_its_length() -> None:
    code, output, _ = ran("--list")
    assert code == 0
    for name in ("killed-at-random", "same-key", "clocks-jump", "made-up"):
        assert f"{name}: " in output
    assert "All of them with --full: about " in output


def test_the_table_is_kept_where_it_is_wanted(tmp_path: Path) -> None:
    code, output, _ = ran("made-up", "--write", "--folder", str(tmp_path / "new"), do="slow")
    assert code == 1
    (page,) = tmp_path.glob("new/*.md")
    (data,) = tmp_path.glob("new/*.json")
    assert str(page) in output
    assert "| made-up | sqlite | 3 | 1,234 | 0 | 0 | 0 | 0 |" in page.read_text()
    kept = json.loads(data.read_text())
    assert {"Python", "Django", "SQLite"} <= kept["machine"]["versions"].keys()
    assert kept["machine"]["commit"]
    assert kept["outcomes"][0]["figures"] == [
        {"name": "speed", "value": 2.5, "unit": "s", "at_most": 2}
    ]
    assert kept["outcomes"][0]["passed"] is False


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = command(
        "made-up", "killed-at-random", "--write", "--folder", str(tmp_path), do="wait"
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_servers_and_shows_the_table(
    waiting: subprocess.Popen[str], number: signal.Signals, tmp_path: Path
) -> None:
    assert waiting.stderr
    while not waiting.stderr.readline().endswith("up\n"):
        assert waiting.poll() is None
    below = list(descendants(waiting.pid))
    assert below
    waiting.send_signal(number)
    output, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "made-up  sqlite       3         1,234" in output
    assert "killed-at-random (scaled): interrupted before it" in output
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in below):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (page,) = tmp_path.glob("*.md")
    assert "interrupted before it" in page.read_text()
