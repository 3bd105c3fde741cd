"""The shell that stays: each piece of code gets its own answer, whatever the others did."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tertulia.testing.server import clean_environment
from tertulia.testing.shell import Shell

ASIDE = """
import subprocess, sys
print('{"not": "an answer"}', file=sys.__stdout__, flush=True)
subprocess.run(["echo", "nor", "this"])
print("mine")
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    env = clean_environment(TERTULIA_DATA=str(tmp_path))
    shell = Shell(env, tmp_path, [], tmp_path / "log")
    yield shell
    shell.close()


def test_what_goes_to_the_real_output_is_no_answer(shell: Shell, tmp_path: Path) -> None:
    """As mails that a thread prints when its piece of code is over already."""
    assert shell.run(ASIDE) == "mine\n"
    assert shell.run("print(2)") == "2\n"
    assert "an answer" in (tmp_path / "log").read_text()


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a test that was interrupted while it waited."""

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Shell, "_line", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shell.run("print(1)")
    assert shell.ended


def test_a_piece_that_takes_too_long_ends_the_shell(shell: Shell) -> None:
    with pytest.raises(AssertionError, match=r"took 0\.5 s"):
        shell.run("import time; time.sleep(60)", 0.5)
    assert shell.ended


def test_what_a_piece_raises_is_told_and_the_next_begins_afresh(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="ValueError: bad"):
        shell.run("left = 1; raise ValueError('bad')")
    assert shell.run("print('left' in globals())") == "False\n"


def test_a_piece_that_ends_its_process_is_told(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="ended with the status"):
        shell.run("import os; os._exit(3)")
    assert shell.run("print(1)") == "1\n"


def test_nothing_stays_when_nobody_holds_it(tmp_path: Path) -> None:
    shell = Shell(clean_environment(TERTULIA_DATA=str(tmp_path)), tmp_path, [], tmp_path / "log")
    process: subprocess.Popen[str] = shell._process
    del shell
    assert process.wait(10) is not None
