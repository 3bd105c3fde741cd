"""`bin/autobahn`: the suite's cases against one server or several."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import known as record
from cases import load_cases
from fuzzer import Result, carry_out
from page import write
from report import Run, details, say, shortened, table
from servers import SERVERS, CannotStart, Server, serving

Cases = dict[str, type[Any]]

# Limits and performance, and compression: 270 of the 517 cases.
LIMITS = ("9",)
COMPRESSION = ("12", "13")
# Most of a case is waiting.
AT_A_TIME = 4
# Our class, to an application by ASGI and to one that has left it.
QUICK = ("ours", "ours-direct")


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments(arguments)
    cases = load_cases()
    logging.basicConfig(level=logging.ERROR, format="%(name)s: %(message)s")
    try:
        known = record.read(SERVERS, cases)
        servers = [SERVERS[name] for name in asked.server]
        runs = [_run(server, _chosen(cases, asked, server), known) for server in servers]
    except record.BadRecord as error:
        say(f"{record.FILE.name}: {error}")
        return 2
    except CannotStart as error:
        say(str(error))
        return 2
    print(table(runs))
    if told := details(runs, known):
        print(f"\n{told}")
    if asked.record:
        write(runs, known)
    return 1 if any(run.unexpected for run in runs) else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/autobahn",
        description="The Autobahn WebSocket test suite: by default its basic groups (1 to 7 and "
        "10) against our own WebSocket class. Exit status: 0 all is as it should be or as it is "
        "recorded in tools/autobahn/known.toml, 1 it is not, 2 it could not run.",
    )
    parser.add_argument("--full", action="store_true", help="all groups, against all servers")
    parser.add_argument(
        "--server", action="append", choices=SERVERS, help="this one instead; may be repeated"
    )
    parser.add_argument(
        "--case", action="append", metavar="ID", help="these only: 6.4.1, or '6.4.*'; repeatable"
    )
    parser.add_argument(
        "--record",
        action="store_true",
        help="a full run, whose results are put into docs/websocket-conformance.md",
    )
    asked = parser.parse_args(arguments)
    if asked.record and asked.case:
        parser.error("--record is for all cases")
    asked.full = asked.full or asked.record
    asked.server = asked.server or (list(SERVERS) if asked.full else list(QUICK))
    return asked


def _chosen(cases: Cases, asked: argparse.Namespace, server: Server) -> Cases:
    """The cases of the groups that were asked for. Raises CannotStart where there are none."""
    if asked.case:
        names = [name for name in cases if any(fnmatchcase(name, each) for each in asked.case)]
    else:
        left_out = () if asked.full else (*LIMITS, *COMPRESSION)
        if server.compresses:
            # A quarter of an hour for what nobody here wants: only when it is asked for by name.
            left_out = (*left_out, *COMPRESSION)
        names = [name for name in cases if name.partition(".")[0] not in left_out]
    if not names:
        raise CannotStart(f"no case matches {', '.join(asked.case)}")
    return {name: cases[name] for name in names}


def _run(server: Server, cases: Cases, known: record.Known) -> Run:
    say(f"{server.name}: {len(cases)} cases")
    began = time.monotonic()
    with serving(server) as port:
        results = asyncio.run(_carry_out(server, port, cases, AT_A_TIME))
        # Many cases give the server half a second, which a busy machine may need for itself.
        again = {each.case: cases[each.case] for each in _unexpected(known, server, results)}
        if again:
            say(f"{server.name}: once more, one at a time: {shortened(list(again))}")
            results |= asyncio.run(_carry_out(server, port, again, 1))
    return Run(
        server,
        list(results.values()),
        record.unexpected(known, server.name, results.values()),
        record.better(known, server.name, results.values()),
        time.monotonic() - began,
    )


def _unexpected(known: record.Known, server: Server, results: dict[str, Result]) -> list[Result]:
    return record.unexpected(known, server.name, results.values())


async def _carry_out(server: Server, port: int, cases: Cases, at_a_time: int) -> dict[str, Result]:
    """By id, in the suite's order. Raises CannotStart where the server has gone."""
    free = asyncio.Semaphore(at_a_time)

    async def one(name: str) -> Result:
        async with free:
            try:
                return await carry_out(name, cases[name], "127.0.0.1", port, server.path)
            except OSError as error:
                raise CannotStart(f"{server.name} is gone at case {name}: {error}") from error

    results = await asyncio.gather(*map(one, cases))
    return {each.case: each for each in results}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
