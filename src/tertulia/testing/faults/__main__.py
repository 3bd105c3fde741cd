"""Breaks private installations in every way, under load, and proves that nothing is lost."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import machine
from ._jobs import Jobs, told
from .outcome import Outcome
from .registry import MODES, Fault, Length, Mode, everything
from .report import Report, summed

EPILOG = """\
Private servers, PostgreSQL and Redis on free ports of the loopback; what the machine runs is not
touched. Exit status: 0 all passed, 1 something failed, 2 a wrong command line, 3 what ran passed
but something could not run here, 130 interrupted (SIGINT or SIGTERM: everything is ended, and the
table of what ran is shown). With --full or --write the table is kept as well, after each fault."""


def main(words: Sequence[str] | None = None) -> int:
    """The exit status, as EPILOG has it."""
    faults = everything()
    options = _parser().parse_args(words)
    unknown = [name for name in options.names if name not in faults]
    if unknown:
        print(f"faults: no fault is called {', '.join(unknown)}; see --list", file=sys.stderr)
        return 2
    chosen = _chosen(faults, options.names, options.mode)
    if options.list:
        print(_listed(chosen, faults))
        return 0
    if not chosen:
        print("faults: none of these is played in that mode; see --list", file=sys.stderr)
        return 2
    length: Length = "full" if options.full else "quick"
    arguments = shlex.join(sys.argv[1:] if words is None else words)
    report = Report(
        faults,
        f"{machine.command('faults')} {arguments}".strip(),
        part=not options.full or bool(options.names or options.mode),
        chosen=chosen,
    )
    write = options.full if options.write is None else options.write
    folder = options.folder if write else None
    if options.again:
        try:
            report.resume(options.again, length)
        except (OSError, ValueError) as error:
            print(f"faults: --again: {error}", file=sys.stderr)
            return 2
        folder = options.again.parent
    return _run(Jobs(faults, report.left(), length, options.jobs), report, folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=machine.command("faults"),
        description=__doc__,
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="these faults only")
    lengths = parser.add_mutually_exclusive_group()
    lengths.add_argument("--quick", action="store_true", help="at most a minute each: the default")
    lengths.add_argument("--full", action="store_true", help="the whole lengths, see --list")
    parser.add_argument("--list", action="store_true", help="what there is and how long it takes")
    parser.add_argument("--mode", choices=MODES, help="one process; or PostgreSQL, Redis, several")
    parser.add_argument(
        *("--jobs",),
        type=_count,
        default=1,
        metavar="N",
        help="so many at once (%(default)s); what others would disturb comes last, by itself",
    )
    parser.add_argument(
        *("--again",),
        type=Path,
        metavar="FILE",
        help="go on with an earlier table, by its .json: play what has not passed, fill it in",
    )
    parser.add_argument(
        *("--write",),
        action=argparse.BooleanOptionalAction,
        help="keep the table as a page and as JSON; --full does so unless told --no-write",
    )
    parser.add_argument(
        *("--folder",), type=Path, default=machine.results(), help="where (%(default)s)"
    )
    return parser


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _chosen(
    faults: dict[str, Fault], names: list[str], mode: Mode | None
) -> list[tuple[str, Mode]]:
    return [
        (name, each)
        for name in (names or faults)
        for each in faults[name].modes
        if mode in (None, each)
    ]


def _listed(chosen: list[tuple[str, Mode]], faults: dict[str, Fault]) -> str:
    lines = []
    for name in dict.fromkeys(name for name, _ in chosen):
        one = faults[name]
        each = f"about {_minutes(one.takes)}{' each' if len(one.modes) > 1 else ''} with --full"
        lines += [f"{name}: {one.what}", f"    {one.reach}"]
        lines += [f"    {' and '.join(one.modes)}; {each}"]
    whole = sum(faults[name].takes for name, _ in chosen)
    return "\n".join([*lines, "", f"All of them with --full: about {_minutes(whole)}."])


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _run(jobs: Jobs, report: Report, folder: Path | None) -> int:
    # A shell that starts us in the background leaves SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    interrupted = False
    try:
        for outcome in jobs:
            _take(outcome, report, folder)
    except KeyboardInterrupt:
        interrupted = True
        for outcome in jobs.interrupt():
            _take(outcome, report, folder)
    print(f"\n{report.text()}")
    if folder:
        print("\n" + "\n".join(map(str, report.save(folder))))
    return 130 if interrupted else 1 if report.failed else 3 if report.not_run else 0


def _take(outcome: Outcome, report: Report, folder: Path | None) -> None:
    report.take(outcome)
    told(outcome.name, outcome.mode)(summed(outcome))
    if not (outcome.passed or outcome.missing or outcome.stopped):
        print(outcome.explained(), file=sys.stderr, flush=True)
    if folder:
        report.save(folder)


if __name__ == "__main__":
    sys.exit(main())
