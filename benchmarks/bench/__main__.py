"""`bin/bench`: how fast Tertulia is, beside the bare socket and its peers, in one run."""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from . import connections, fanout, machine, plots, report, writing
from .build import NoCompiler, built
from .contenders import limit, stock, tertulia
from .contenders.all import PEERS
from .contenders.base import Contender
from .load import load
from .stage import FULL, QUICK, TROUBLE, Plan, Row, Stage
from .tables import Result

WORK = machine.ROOT / "build" / "bench"
RESULTS = machine.ROOT / "benchmarks" / "results"
EVERYONE = [*limit.CONTENDERS, *tertulia.CONTENDERS, *stock.CONTENDERS, *PEERS]
IN_QUICK = ("limit", "limit-200", "tertulia", "tutorial-memory")
# Variants that only the fan-out is about, unless they are asked for by name.
FAN_OUT_ONLY = ("limit-200", "tertulia-postgres", "tertulia-workers", "tutorial-stored")
# Files that a server and a generator have open besides their sockets.
OTHER_FILES = 500
# Seconds after which no further measure is begun.
ENOUGH = 36 * 60


@dataclass(frozen=True)
class Measure:
    """`take` has a docstring that says what is counted. `quick`: also in `bin/bench --quick`."""

    take: Callable[[Stage], list[Row]]
    quick: bool = False
    unlimited: bool = False


MEASURES = {
    "fanout": Measure(fanout.fan_out, quick=True),
    "burst": Measure(fanout.burst, quick=True),
    "opening": Measure(connections.opening, quick=True),
    "memory": Measure(connections.memory, quick=True),
    "durable": Measure(writing.durable, quick=True, unlimited=True),
    "mute": Measure(writing.mute),
    "idle": Measure(connections.idle),
    "storm": Measure(connections.storm),
}


def main(words: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 2 for what cannot be run."""
    options = _parser().parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.list:
        print(_listed())
        return 0
    if options.plots:
        for path in plots.drawn(json.loads(options.plots.read_text()), options.plots.parent):
            print(path)
        return 0
    if not sys.platform.startswith("linux"):
        print("bench: CPU and memory are read from /proc, which only Linux has", file=sys.stderr)
        return 2
    try:
        for program in ("load", "limit"):
            built(WORK, program)
    except NoCompiler as trouble:
        print(f"bench: {trouble}", file=sys.stderr)
        return 2
    plan = _within_files(QUICK if options.quick else FULL)
    result = measured(_chosen(options), plan, by_name=bool(options.only))
    print(report.shown(result))
    whole = not (options.quick or options.only or options.measure)
    if whole or options.save:
        print("\n" + "\n".join(map(str, report.saved(result, options.save or RESULTS))))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--quick", action="store_true", help="a few minutes: the limit, Tertulia and the tutorial"
    )
    parser.add_argument(
        "--only", metavar="KEY,KEY", type=_keys, help="these contenders, and the limit"
    )
    parser.add_argument("--measure", metavar="NAME,NAME", type=_names, help=", ".join(MEASURES))
    parser.add_argument(
        "--save",
        metavar="FOLDER",
        type=Path,
        help="where JSON and Markdown go; a whole run goes to benchmarks/results",
    )
    parser.add_argument("--list", action="store_true", help="contenders and measures")
    parser.add_argument(
        "--plots",
        metavar="RESULT.json",
        type=Path,
        help="draw SVG files beside a result; measures nothing",
    )
    return parser


def _keys(text: str) -> list[str]:
    known = {one.key for one in (*EVERYONE, *tertulia.UNLIMITED)}
    return _among(text, known)


def _names(text: str) -> list[str]:
    return _among(text, set(MEASURES))


def _among(text: str, known: set[str]) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is not known; see bin/bench --list")
    return words


def _listed() -> str:
    lines = ["Contenders:"]
    for one in (*EVERYONE, *tertulia.UNLIMITED):
        why = one.missing()
        remarks = f" ({one.remarks})" if one.remarks else ""
        lines.append(f"  {one.key:28} {one.name}{remarks}{f' - NOT HERE: {why}' if why else ''}")
    lines.append("\nMeasures:")
    for name, measure in MEASURES.items():
        lines.append(f"  {name:28} {(measure.take.__doc__ or '').splitlines()[0]}")
    return "\n".join(lines)


def _chosen(options: argparse.Namespace) -> dict[str, list[Contender]]:
    """The contenders of each measure of this run."""
    names = options.measure or [
        name for name, measure in MEASURES.items() if measure.quick or not options.quick
    ]
    return {name: _contenders(name, options) for name in names}


def _contenders(name: str, options: argparse.Namespace) -> list[Contender]:
    everyone: list[Contender] = EVERYONE
    if MEASURES[name].unlimited:
        everyone = [*tertulia.UNLIMITED]
        return [one for one in everyone if not options.only or _asked(one, options.only)]
    if options.only:
        return [one for one in everyone if one.key in ("limit", *options.only)]
    if options.quick:
        everyone = [one for one in everyone if one.key in IN_QUICK]
    return [one for one in everyone if name == "fanout" or one.key not in FAN_OUT_ONLY]


def _asked(one: Contender, keys: Sequence[str]) -> bool:
    """`tertulia` stands for its variant without limits, too."""
    return one.key in keys or one.key.removesuffix("-unlimited") in keys


def _within_files(plan: Plan) -> Plan:
    """As many files as the system allows, for us and our children; no more sockets than that."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most == resource.RLIM_INFINITY:
        return plan
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    room = most - OTHER_FILES
    if room < max(plan.idle, plan.storm, plan.memory, *plan.sizes):
        print(f"bench: at most {room:,} connections: see `ulimit -Hn`", file=sys.stderr)
    return replace(
        plan,
        sizes=tuple(size for size in plan.sizes if size <= room),
        **{name: min(getattr(plan, name), room) for name in ("idle", "storm", "memory")},
    )


def measured(chosen: dict[str, list[Contender]], plan: Plan, *, by_name: bool = False) -> Result:
    """Everything that was chosen, one measure after the other."""
    began = datetime.now(UTC)
    every = {one.key: one for contenders in chosen.values() for one in contenders}
    stage = Stage(WORK, plan, list(every.values()), by_name)
    missing = _missing(stage)
    event = _event_bytes(stage)
    limit.LIMIT.bytes = event
    present = [one for one in every.values() if one.key not in missing]
    results: dict[str, list[Row]] = {}
    for name, contenders in chosen.items():
        if time.monotonic() - stage.began > ENOUGH:
            stage.give_up("all", name, f"{ENOUGH // 60} minutes are over; take it by --measure")
            continue
        stage.contenders = [one for one in contenders if one in present]
        stage.say(f"--- {name}")
        results[name] = MEASURES[name].take(stage)
    return {
        "date": began.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - stage.began),
        "command": shlex.join(["bin/bench", *sys.argv[1:]]),
        "machine": machine.described(),
        "rounds": plan.rounds,
        "event_bytes": event,
        "names": {key: one.name for key, one in every.items()},
        "remarks": {key: one.remarks for key, one in every.items() if one.remarks},
        "durable": [key for key, one in every.items() if one.durable],
        "versions": stage.versions,
        "missing": missing,
        "failed": [
            {"key": key, "measure": measure, "reason": reason}
            for (key, measure), reason in stage.failed.items()
        ],
        "measures": results,
    }


def _missing(stage: Stage) -> dict[str, str]:
    """Who is not here and why; the others are installed."""
    missing: dict[str, str] = {}
    for one in stage.contenders:
        why = one.missing()
        if why is None:
            try:
                stage.say(f"preparing {one.key}")
                one.prepare(WORK)
            except TROUBLE as trouble:
                why = f"it could not be installed: {trouble}"
        if why is not None:
            missing[one.key] = why
    return missing


def _event_bytes(stage: Stage) -> int:
    """How long our event is for the message that everybody is sent: asked of a server."""
    stage.say("asking Tertulia for one event")
    with (
        tertulia.SHIPPED.running(WORK, members=1) as running,
        load(WORK, running, "one", most=1) as generator,
    ):
        generator.open(1)
        answer = generator.send(count=1, ms=0, window=1, senders=1)
        if not answer["delivered"]:
            raise ValueError(f"Tertulia delivered nothing; {generator.said()}")
        return int(answer["bytes"] + 0.5)


if __name__ == "__main__":
    os.chdir(machine.ROOT)
    sys.exit(main())
