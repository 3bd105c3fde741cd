"""Half an hour of people coming and going, and of small faults: does anything grow for ever?"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from ..services import Missing
from . import report
from .run import Result, Soak
from .troubles import MODES, TROUBLES, Mode

EPILOG = """\
Exit status: 0 nothing found, 1 a finding (something grows, or the checker found a breach), 2 a
wrong command line, 3 a program is missing, 130 interrupted. Under ten minutes only what grows by
megabytes is found: a process still loads what it needs for the first time."""


def main(words: Sequence[str] | None = None) -> int:
    """The exit status, as EPILOG has it."""
    options = _parser().parse_args(words)
    known = {trouble.name for trouble in TROUBLES}
    if unknown := [name for name in options.names if name not in known]:
        print(f"soak: no fault is called {', '.join(unknown)}; see --help", file=sys.stderr)
        return 2
    if not options.minutes > 0:
        print("soak: --minutes is above nought", file=sys.stderr)
        return 2
    modes = MODES if options.mode == "both" else (options.mode,)
    results: list[Result] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for mode in modes:
            results.append(asyncio.run(_soak(mode, options)))
            print(report.text(results[-1]), flush=True)
    except KeyboardInterrupt:
        return 130
    except Missing as missing:
        print(f"soak: {missing}", file=sys.stderr)
        return 3
    if options.write:
        command = shlex.join(["bin/soak", *(sys.argv[1:] if words is None else words)])
        for path in report.save(results, options.folder, command):
            print(path)
    return int(any(result.findings for result in results))


async def _soak(mode: Mode, options: argparse.Namespace) -> Result:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    return await Soak(mode, options.minutes * 60, names=options.names, say=say).play()


def _parser() -> argparse.ArgumentParser:
    shown = "\n".join(f"  {t.name:<20} {t.what} ({', '.join(t.modes)})" for t in TROUBLES)
    parser = argparse.ArgumentParser(
        prog="bin/soak",
        description=__doc__,
        epilog=f"faults:\n{shown}\n\n{EPILOG}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these small faults")
    parser.add_argument("--minutes", type=float, default=30, help="of each mode (%(default)s)")
    parser.add_argument(
        *("--mode",), choices=(*MODES, "both"), default="both", help="SQLite, PostgreSQL + Redis"
    )
    parser.add_argument("--write", action="store_true", help="keep the result as a page")
    parser.add_argument(
        *("--folder",), type=Path, default=Path("docs/faults"), help="where (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
