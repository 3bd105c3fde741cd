"""`python -m tertulia.testing COMMAND`: fault proxy, server with failpoints, the proof."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import failpoints, launch, prove, terminal

WRONG_USE = 2


class _Parser(argparse.ArgumentParser):
    """argparse, with one line for an error."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["serve"]:
        return launch.serve(words[1:])
    parser = _Parser(
        prog="python -m tertulia.testing",
        description="Break things on purpose. Also: python -m tertulia.testing.soak.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    commands.add_parser("serve", help="`tertulia serve …` with TERTULIA_FAILPOINTS; see failpoints")
    listing = commands.add_parser("failpoints", help="name the failpoints and what they can do")
    listing.set_defaults(run=lambda _: print(failpoints.listing()) or 0)
    terminal.add_arguments(commands.add_parser("proxy", help="a TCP proxy that breaks what passes"))
    prove.add_arguments(commands.add_parser("prove", help="check the guarantee from outside"))
    options = parser.parse_args(words)
    status: int = options.run(options)
    return status


if __name__ == "__main__":
    sys.exit(main())
