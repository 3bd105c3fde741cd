"""Half an hour of people coming and going, and of small faults: does anything grow for ever?"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import machine
from ..faults.registry import MODES, Mode
from ..services import Missing
from . import report
from .faults import FAULTS
from .run import Result, Soak

# Minutes of each mode; a soak as long as this is kept as a page without being asked.
WHOLE = 30

EPILOG = """\
Exit status: 0 nothing found, 1 a finding (something grows, or the checker found a breach), 2 a
wrong command line, 3 something that it needs is not installed, 130 interrupted (a mode that was
over by then is kept). Under ten minutes only what grows by megabytes is found: a process still
loads what it needs for the first time."""


def main(words: Sequence[str] | None = None) -> int:
    """The exit status, as EPILOG has it."""
    options = _parser().parse_args(words)
    known = {fault.name for fault in FAULTS}
    if unknown := [name for name in options.names if name not in known]:
        print(f"soak: no fault is called {', '.join(unknown)}; see --help", file=sys.stderr)
        return 2
    if not options.minutes > 0:
        print("soak: --minutes is above nought", file=sys.stderr)
        return 2
    modes = MODES if options.mode == "both" else (options.mode,)
    # A shell that starts us in the background leaves SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    command = f"{machine.command('soak')} {shlex.join(sys.argv[1:] if words is None else words)}"
    return _run(modes, options, command.strip())


def _run(modes: Sequence[Mode], options: argparse.Namespace, command: str) -> int:
    """One mode after the other. Whatever ends it, those that are over are kept."""
    results: list[Result] = []
    status, why = 0, "it failed"
    try:
        for mode in modes:
            results.append(asyncio.run(_soak(mode, options)))
            print(report.text(results[-1]), flush=True)
    except KeyboardInterrupt:
        status, why = 130, "interrupted"
    except Missing as missing:
        print(f"soak: {missing}", file=sys.stderr)
        status, why = 3, str(missing)
    finally:
        write = options.minutes >= WHOLE if options.write is None else options.write
        if write and results:
            left = dict.fromkeys(modes[len(results) :], why)
            for path in report.save(results, options.folder, command, left):
                print(path)
    found = any(result.findings for result in results)
    return 1 if found and status != 130 else status


async def _soak(mode: Mode, options: argparse.Namespace) -> Result:
    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    return await Soak(mode, options.minutes * 60, names=options.names, say=say).play()


def _parser() -> argparse.ArgumentParser:
    shown = "\n".join(f"  {f.name:<20} {f.what} ({', '.join(f.modes)})" for f in FAULTS)
    parser = argparse.ArgumentParser(
        prog=machine.command("soak"),
        description=__doc__,
        epilog=f"faults:\n{shown}\n\n{EPILOG}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these small faults")
    parser.add_argument("--minutes", type=float, default=WHOLE, help="of each mode (%(default)s)")
    parser.add_argument(
        *("--mode",), choices=(*MODES, "both"), default="both", help="SQLite, PostgreSQL + Redis"
    )
    parser.add_argument(
        *("--write",),
        action=argparse.BooleanOptionalAction,
        help=f"keep the result as a page; from {WHOLE} minutes on it is, unless told --no-write",
    )
    parser.add_argument(
        *("--folder",), type=Path, default=machine.results(), help="where (%(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
