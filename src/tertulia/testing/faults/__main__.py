"""Breaks private installations in every way, under load, and proves that nothing is lost."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .. import machine
from . import play
from .registry import MODES, Fault, Length, Mode, everything
from .report import Report, summed
from .stage import Stage

# Seconds between two lines of progress.
EVERY: dict[Length, float] = {"short": 5, "quick": 5, "full": 15}

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
    )
    write = options.full if options.write is None else options.write
    return _run(chosen, length, report, options.folder if write else None)


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
        *("--write",),
        action=argparse.BooleanOptionalAction,
        help="keep the table as a page and as JSON; --full does so unless told --no-write",
    )
    parser.add_argument(
        *("--folder",), type=Path, default=machine.results(), help="where (%(default)s)"
    )
    return parser


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


def _run(
    chosen: list[tuple[str, Mode]], length: Length, report: Report, folder: Path | None
) -> int:
    # A shell that starts us in the background leaves SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    began, interrupted = time.monotonic(), False
    report.left = [f"{name} ({mode})" for name, mode in chosen]
    for name, mode in chosen:
        stages: list[Stage] = []
        _line(f"{name} ({mode}): {report.faults[name].what}")
        try:
            # A loop each: what one fault leaves behind is cancelled before the next begins.
            asyncio.run(_one(name, mode, length, stages))
        except KeyboardInterrupt:
            interrupted = True
        report.seconds = time.monotonic() - began
        if stages:
            report.outcomes.append(stages[0].outcome)
            report.left.pop(0)
            _say(stages[0], summed(stages[0].outcome))
            if not stages[0].outcome.passed:
                print(stages[0].outcome.explained(), file=sys.stderr, flush=True)
        if folder:
            report.save(folder)
        if interrupted:
            break
    print(f"\n{report.text()}")
    if folder:
        print("\n" + "\n".join(map(str, report.save(folder))))
    return 130 if interrupted else 1 if report.failed else 3 if report.not_run else 0


async def _one(name: str, mode: Mode, length: Length, stages: list[Stage]) -> None:
    ticking = asyncio.create_task(_tick(stages, EVERY[length]))
    try:
        await play(name, mode, length=length, say=lambda text: _say(stages[0], text), watch=stages)
    finally:
        ticking.cancel()


async def _tick(stages: list[Stage], every: float) -> None:
    """A line of progress now and then; the stage is there before the first."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(every)
        stage = stages[0]
        trials = f"trial {stage.outcome.trials:,}" + (f" of {stage.due:,}" if stage.due else "")
        seconds = time.monotonic() - began
        _say(stage, f"{trials}, {stage.acknowledged:,} acknowledged, {seconds:.0f} s")


def _say(stage: Stage, text: str) -> None:
    _line(f"{stage.outcome.name} ({stage.mode})  {text}")


def _line(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
