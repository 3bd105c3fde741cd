"""What is known to fail, and why: `known.toml`, and how a run compares with it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from fuzzer import Outcome, Result

FILE = Path(__file__).with_name("known.toml")
_WRONG = (Outcome.NON_STRICT, Outcome.FAILED)


class BadRecord(Exception):
    """`known.toml` says what cannot be; the text is one line."""


@dataclass(frozen=True)
class Entry:
    """What a case of a server comes out as; `varies` if at times it comes out better."""

    outcome: Outcome
    reason: str
    varies: bool


Known = dict[tuple[str, str], Entry]
"""By server and case."""


def read(servers: Collection[str], cases: Collection[str]) -> Known:
    """Raises BadRecord."""
    try:
        entries = tomllib.loads(FILE.read_text()).get("known", [])
    except tomllib.TOMLDecodeError as error:
        raise BadRecord(str(error)) from error
    known: Known = {}
    for entry in entries:
        if set(entry) - {"varies"} != {"servers", "outcome", "cases", "reason"}:
            raise BadRecord("an entry has servers, outcome, cases, reason, and varies or not")
        if entry["outcome"] not in _WRONG:
            raise BadRecord(f"outcome is one of {', '.join(_WRONG)}, not {entry['outcome']!r}")
        outcome, reason = Outcome(entry["outcome"]), " ".join(entry["reason"].split())
        made = Entry(outcome, reason, entry.get("varies", False))
        for server in entry["servers"]:
            _refuse_unknown("server", server, servers)
            for case in entry["cases"]:
                _refuse_unknown("case", case, cases)
                if (server, case) in known:
                    raise BadRecord(f"case {case} of {server} stands there twice")
                known[server, case] = made
    return known


def _refuse_unknown(what: str, name: str, names: Collection[str]) -> None:
    if name not in names:
        raise BadRecord(f"there is no {what} {name!r}")


def unexpected(known: Known, server: str, results: Iterable[Result]) -> list[Result]:
    """What is wrong and not recorded as wrong in this way or a worse one."""
    return [each for each in results if _badness(each.outcome) > _recorded(known, server, each)]


def better(known: Known, server: str, results: Iterable[Result]) -> list[Result]:
    """What is recorded as worse than it came out, and does not vary."""
    return [
        each
        for each in results
        if _badness(each.outcome) < _recorded(known, server, each)
        and not known[server, each.case].varies
    ]


def _recorded(known: Known, server: str, result: Result) -> int:
    entry = known.get((server, result.case))
    return 0 if entry is None else _badness(entry.outcome)


def _badness(outcome: Outcome) -> int:
    return _WRONG.index(outcome) + 1 if outcome in _WRONG else 0
