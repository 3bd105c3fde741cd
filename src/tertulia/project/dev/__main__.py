"""`python -m tertulia.project.dev`: listens, and has one process after the other serve.

The socket stays open between them: who comes while one ends and the next begins is not refused
but waits. This process loads nothing of the site, so that it never holds old code.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import tertulia

from ..environment import SettingsError, need, read
from ..serving import STOPPING, listen
from . import SWITCH
from .server import RESTART, WRONG_USE

PACKAGE = Path(tertulia.__file__).parent
LOOK_EVERY = 0.5  # seconds


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, as `tertulia` has it."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; the exit status."""
    parser = _Parser(
        prog="bin/dev",
        allow_abbrev=False,
        description="Serve the site for those who work on it: a change in the source starts it"
        " anew, and pages that are open reload themselves. This machine only.",
    )
    parser.add_argument("--data", metavar="DIR", help="(TERTULIA_DATA, or dev-data)")
    parser.add_argument("--host", default="127.0.0.1", help="of this machine's own (%(default)s)")
    parser.add_argument("--port", default=8000, type=_port, help="0 takes a free one (%(default)s)")
    parser.add_argument("--open", action="store_true", help="a playground: guests may talk")
    options = parser.parse_args(arguments)
    folder = options.data or os.environ.get("TERTULIA_DATA") or "dev-data"
    os.environ.update(
        {
            "TERTULIA_DATA": str(Path(folder).absolute()),
            "TERTULIA_HOST": options.host,
            "TERTULIA_OPEN": str(int(options.open)),
            "TERTULIA_WORKERS": "1",
            "DJANGO_SETTINGS_MODULE": "tertulia.project.dev.settings",
            SWITCH: "1",
        }
    )
    try:
        read()
        need("django_browser_reload", "dev", "bin/dev")
        with listen(options.host, options.port) as listener:
            return _Turns(listener).run()
    except SettingsError as error:
        print(f"{parser.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return WRONG_USE


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; ports are 0 to 65535")
    return int(text)


class _Turns:
    """One serving process after the other."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._told_to_stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Until a signal, or a setting with which nothing can be served; the exit status."""
        for number in STOPPING:
            signal.signal(number, self._stop)
        turn = "first"
        while not self._told_to_stop.is_set():
            before = _source()
            status = self._serve(turn)
            if status == WRONG_USE:
                return status
            if status != RESTART and not self._told_to_stop.is_set():
                print("bin/dev: it ended; waiting for a change in the source", file=sys.stderr)
                while _source() == before and not self._told_to_stop.wait(LOOK_EVERY):
                    pass
            turn = "again"
        return 0

    def _serve(self, turn: str) -> int:
        descriptor = self._listener.fileno()
        command = [sys.executable, "-m", "tertulia.project.dev.server"]
        self._child = subprocess.Popen(  # noqa: S603 - a module of our own
            [*command, str(os.getpid()), str(descriptor), turn],
            pass_fds=(descriptor,),
            # Ctrl-C reaches it by way of this process only, once.
            start_new_session=True,
        )
        if self._told_to_stop.is_set():
            self._child.terminate()
        return self._child.wait()

    def _stop(self, *_: object) -> None:
        self._told_to_stop.set()
        if self._child is not None:
            self._child.terminate()


def _source() -> dict[Path, int]:
    """Every module of the package, with the time of its last change."""
    return {path: path.stat().st_mtime_ns for path in PACKAGE.rglob("*.py")}


if __name__ == "__main__":
    sys.exit(main())
