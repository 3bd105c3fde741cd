"""`tertulia manage shell` that stays: many pieces of code, one start of Python and Django.

A start takes most of a second of CPU, which is most of what a short piece of code costs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

READY = "the shell is ready"

# Run by the real command. Each piece has a process of its own, which begins with what the command
# has imported and leaves nothing behind: neither settings that it changed nor connections.
LOOP = f"""
import contextlib, io, json, os, sys, traceback
from django.db import connections

# Answers have a way of their own: what a thread or a library prints, even late, goes to the log.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

def answer(what):
    print(json.dumps(what), file=answers, flush=True)

def result(code):
    output, failure = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(output):
            exec(code, dict(globals()))
    except BaseException:
        failure = traceback.format_exc()
    # As at the end of any process: SQLite then leaves no journal behind.
    connections.close_all()
    return [output.getvalue(), failure]

answer({READY!r})
for line in sys.stdin:
    if os.fork() == 0:
        answer(result(json.loads(line)))
        os._exit(0)
    _, status = os.wait()
    if status:
        answer(["", f"ended with the status {{status}}"])
"""


class Shell:
    """One such process. `env`, `cwd` and `prefix` are those of the server it stands beside."""

    def __init__(self, env: dict[str, str], cwd: Path, prefix: list[str], log: Path) -> None:
        self.begun_with = (dict(env), list(prefix))
        self._lock = threading.Lock()
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "tertulia", "manage", "shell", "-c", LOOP],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                cwd=cwd,
                text=True,
                start_new_session=True,
            )
        # Whoever only asked a server for its people does not remove it.
        self.close = weakref.finalize(self, _end, self._process)
        try:
            # The command itself says a word or two before.
            while self._line(60).strip() != json.dumps(READY):
                pass
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def run(self, code: str, seconds: float = 300) -> str:
        """What it printed. What it raised fails here, with its traceback."""
        with self._lock:
            try:
                output, failure = self._answer(code, seconds)
            except BaseException:
                # An answer that nobody has read would be taken for that to the next piece.
                self._kill()
                raise
        assert not failure, failure
        return output

    def _answer(self, code: str, seconds: float) -> tuple[str, str]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        output, failure = json.loads(self._line(seconds))
        return str(output), str(failure)

    def _line(self, seconds: float) -> str:
        """The next line of its output; one that takes too long is ended."""
        assert self._process.stdout
        timer = threading.Timer(seconds, self._kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        assert line, f"the shell has ended, or took {seconds} s:\n{self._log.read_text()[-4000:]}"
        return line

    def _kill(self) -> None:
        _kill(self._process)


def _kill(process: subprocess.Popen[str]) -> None:
    """It holds nothing that an end could lose."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end(process: subprocess.Popen[str]) -> None:
    _kill(process)
    process.communicate()
