"""`bin/faults`: its table, its exit statuses, Ctrl-C. Everything by the command line."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.faults import everything
from tertulia.testing.processes import descendants
from tertulia.testing.server import SOURCE, clean_environment

from .playing import PLAYED

# A fault that needs no server: what it does is said by the environment variable DO.
EXTRA = '''
import asyncio, os, pathlib, sys
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
    if do == "die":
        os._exit(7)

async def meet(stage, other):
    """Passes when the other one is under way at the same time."""
    folder = pathlib.Path(os.environ["MEETING"])
    (folder / stage.outcome.name).touch()
    for _ in range(100):
        if (folder / other).exists():
            return
        await asyncio.sleep(0.05)
    stage.expect(False, f"{other} is there")

@fault("meets-b", modes=("sqlite",), reach="both meet", takes=2)
async def meets_b(stage):
    """Waits for the other."""
    await meet(stage, "meets-a")

@fault("meets-a", modes=("sqlite",), reach="both meet", takes=3)
async def meets_a(stage):
    """Waits for the other."""
    await meet(stage, "meets-b")
    await asyncio.sleep(0.5)
    pathlib.Path(os.environ["MEETING"], "over").touch()

@fault("by-itself", modes=("sqlite",), reach="nobody else", takes=9, alone=True)
async def by_itself(stage):
    """Comes when the others are over."""
    stage.expect(pathlib.Path(os.environ["MEETING"], "over").exists(), "the others are over")

sys.exit(command.main())
'''


def command(*arguments: str, do: str = "pass", **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", EXTRA, *arguments],
        env=clean_environment(DO=do, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(*arguments: str, do: str = "pass", **env: str) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    process = command(*arguments, do=do, **env)
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


def test_a_fault_whose_process_dies_has_failed_and_the_next_is_played() -> None:
    code, output, errors = ran("made-up", "same-key", "--mode", "sqlite", do="die")
    assert code == 1
    assert "its process ended by itself, with status 7" in errors
    assert "2 played, 1 failed, 0 not run" in output


def test_some_are_played_at_once_and_those_that_must_be_alone_come_last(tmp_path: Path) -> None:
    names = ("by-itself", "meets-b", "meets-a")
    code, output, errors = ran(*names, "--jobs", "2", MEETING=str(tmp_path))
    assert code == 0, errors
    # The table is in the order that was asked for.
    assert [line.split()[0] for line in output.splitlines()[2:5]] == list(names)


def test_one_at_a_time_is_the_default(tmp_path: Path) -> None:
    code, _, errors = ran("meets-a", "meets-b", MEETING=str(tmp_path))
    assert code == 1
    assert "does not hold: meets-b is there" in errors


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


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [(["--full"], True), (["--full", "--no-write"], False), (["--write"], True), ([], False)],
)
def test_what_is_played_at_its_full_length_is_kept(
    arguments: list[str], kept: bool, tmp_path: Path
) -> None:
    code, _, _ = ran("made-up", *arguments, "--folder", str(tmp_path))
    assert code == 0
    # As a part: a table of all faults is not written over.
    assert len(list(tmp_path.glob("*-part.md"))) == kept
    assert len(list(tmp_path.iterdir())) == 2 * kept


def test_an_installed_package_does_not_take_another_projects_commit_for_its_own(
    tmp_path: Path,
) -> None:
    """The package lies in somebody else's repository, as a virtual environment may."""
    source = tmp_path / "other" / "src"
    source.mkdir(parents=True)
    (source / "tertulia").symlink_to(SOURCE / "tertulia")
    (source.parent / "pyproject.toml").write_text('[project]\nname = "other"\n')
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "theirs"]):
        who = ["-c", "user.name=N", "-c", "user.email=n@example.org"]
        subprocess.run(["git", *who, *words], cwd=source.parent, check=True)
    folder = tmp_path / "table"
    done = subprocess.run(
        [sys.executable, "-c", EXTRA, "made-up", "--write", "--folder", str(folder)],
        env=clean_environment(DO="pass", PYTHONPATH=str(source)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (data,) = folder.glob("*.json")
    kept = json.loads(data.read_text())
    assert kept["machine"]["commit"] == "unknown"
    assert kept["command"].startswith("python -m tertulia.testing.faults made-up ")


def test_the_tests_play_every_fault_in_every_mode() -> None:
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(f"{__package__}.{path.stem}")
    faults = everything().values()
    assert {(fault.name, mode) for fault in faults for mode in fault.modes} == PLAYED


def test_the_table_is_kept_where_it_is_wanted(tmp_path: Path) -> None:
    code, output, _ = ran("made-up", "--write", "--folder", str(tmp_path / "new"), do="slow")
    assert code == 1
    (page,) = tmp_path.glob("new/*.md")
    (data,) = tmp_path.glob("new/*.json")
    assert str(page) in output
    assert "| made-up | sqlite | 3 | 1,234 | — | — | — | — |" in page.read_text()
    kept = json.loads(data.read_text())
    assert {"Python", "Django", "SQLite"} <= kept["machine"]["versions"].keys()
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=SOURCE, capture_output=True, text=True
    ).stdout
    assert kept["machine"]["commit"].partition(" ")[0] == (head[:10] or "unknown")
    assert kept["command"].startswith("bin/faults made-up --write ")
    assert kept["outcomes"][0]["figures"] == [
        {"name": "speed", "value": 2.5, "unit": "s", "at_most": 2}
    ]
    assert kept["outcomes"][0]["passed"] is False


def test_what_has_not_passed_is_played_again_and_filled_in(tmp_path: Path) -> None:
    names = ["made-up", "meets-a", "--full"]
    kept = [*names, "--write", "--folder", str(tmp_path)]
    (tmp_path / "meets-b").touch()
    assert ran(*kept, do="slow", MEETING=str(tmp_path))[0] == 1
    (data,) = tmp_path.glob("*.json")
    code, output, errors = ran(*names, "--again", str(data), MEETING=str(tmp_path))
    assert code == 0, errors
    assert "2 played, 0 failed, 0 not run" in output
    assert "meets-a (sqlite)" not in errors, "what had passed is not played again"
    (page,) = tmp_path.glob("*.md")
    assert "made-up (sqlite)." in page.read_text().partition("Played again by")[2]
    assert [one["passed"] for one in json.loads(data.read_text())["outcomes"]] == [True, True]


def test_what_is_no_table_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    for file in ("no.json", "absent.json"):
        code, _, errors = ran("made-up", "--again", str(tmp_path / file))
        assert (code, errors.count("\n")) == (2, 1)
        assert file in errors


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
