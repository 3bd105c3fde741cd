"""`python -m tertulia.project.demo`: fills the data folder; `bin/demo` then serves it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import NoReturn

from .. import startup
from ..environment import SettingsError, read
from .cast import CAST, MAIN

FARTHEST = 35
MOST = 200_000


class _Parser(argparse.ArgumentParser):
    """One line for a wrong argument, as `tertulia` has it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the folder, and say who may sign in; the exit status."""
    parser = _Parser(
        prog="bin/demo",
        allow_abbrev=False,
        description="Serve a site that looks used: people, rooms, weeks of talk.",
        epilog="All other options are those of `tertulia serve`, such as --port.",
    )
    parser.add_argument("--data", metavar="DIR", default="tertulia-demo", help="(%(default)s)")
    parser.add_argument(
        "--days",
        default=FARTHEST,
        type=_number(1, FARTHEST),
        help="how far the talk goes back (35)",
    )
    parser.add_argument(
        "--history",
        default=2000,
        type=_number(0, MOST),
        help="messages in the long room Bookdrop (2000)",
    )
    options = parser.parse_args(arguments)
    os.environ["TERTULIA_DATA"] = str(Path(options.data).absolute())
    try:
        tell(options)
    except SettingsError as error:
        print(f"{parser.prog}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _number(least: int, most: int) -> type[int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} to {most}")
        return int(text)

    return parse  # type: ignore[return-value]


def tell(options: argparse.Namespace) -> None:
    """Fill, and print what came of it. Raises SettingsError."""
    env = read()
    startup.prepare(env)
    from django.urls import reverse

    from .desk import AGENTS
    from .fill import fill

    began = monotonic()
    with startup.database_errors(env):
        done = fill(env.data, options.days, options.history)
    if done.password is None:
        print("This site is somebody's already: nothing was added to it.")
        return
    took = f" (made in {monotonic() - began:.1f} s)" if done.new else " (kept from before)"
    said = f"{done.messages:,} messages, {done.conversations} conversations with visitors"
    print(f"{len(CAST)} people, {done.rooms} rooms, {said}{took}")
    print(f"Sign in as {MAIN} with the password {done.password}")
    others = ", ".join(each.key for each in CAST if each.key != MAIN)
    print(f"The same opens the door to {others}.")
    inbox, agents = reverse("tertulia_support_inbox:list"), ", ".join(AGENTS)
    print(f"Visitors of the library's site are answered at {inbox} by {agents}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
