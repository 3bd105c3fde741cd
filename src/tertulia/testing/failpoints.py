"""Named points of the server at which it can be made to fail, switched on by the environment.

    TERTULIA_FAILPOINTS=after-commit=kill:0.02,before-publish=sleep(0.5):0.1,before-commit=raise
    python -m tertulia.testing serve …

`NAME=ACTION[:WHEN]…`, several with commas between. Actions: kill (SIGKILL to itself), exit, raise,
sleep(SECONDS), drop, double, delay(SECONDS), reorder(COUNT), off; which point can do which is in
`POINTS`. WHEN: a number is the probability, once, count(N): at most so often, skip(N): not the
first N times. Counting begins anew in each process. TERTULIA_FAILPOINTS_SEED makes the chances the
same in each run: the n-th process of a data folder draws the same numbers.

The product knows nothing of this: `install` replaces the functions of `POINTS` in a process of the
launcher (`launch.py`), and in no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .points import POINTS, Point

VARIABLE = "TERTULIA_FAILPOINTS"
SEED = "TERTULIA_FAILPOINTS_SEED"

_ONE = re.compile(r"([a-z-]+)=([a-z]+)(?:\(([^()]*)\))?((?::[^:,]+)*)")
# With an argument, and the least that it may be.
_NUMBERS = {"sleep": 0.0, "delay": 0.0, "reorder": 2.0}


class WrongFailpoint(Exception):
    """What was asked for is not to be had; the text is one line."""


@dataclass
class Rule:
    """What one point does, and when. `argument`: seconds, or how many."""

    point: Point
    action: str
    argument: float = 0
    probability: float = 1
    most: int | None = None
    skipped: int = 0
    visits: int = field(default=0, compare=False)
    fired: int = field(default=0, compare=False)


def parse(text: str) -> list[Rule]:
    """The rules of TERTULIA_FAILPOINTS. Raises WrongFailpoint."""
    rules: list[Rule] = []
    for word in filter(None, map(str.strip, text.split(","))):
        rule = _rule(word)
        if any(rule.point is other.point for other in rules):
            raise WrongFailpoint(f"the failpoint {rule.point.name} is named twice")
        if rule.action != "off":
            rules.append(rule)
    return rules


def _rule(word: str) -> Rule:
    match = _ONE.fullmatch(word)
    if match is None:
        raise WrongFailpoint(f"a failpoint is NAME=ACTION or NAME=ACTION:WHEN, not {word!r}")
    name, action, argument, conditions = match.groups()
    point = next((p for p in POINTS if name in (p.name, *p.aliases)), None)
    if point is None:
        names = ", ".join(p.name for p in POINTS)
        raise WrongFailpoint(f"there is no failpoint {name!r}; there are {names}")
    if action not in (*point.actions, "off"):
        able = ", ".join(point.actions)
        raise WrongFailpoint(f"{name} cannot {action!r}; it can {able}")
    rule = Rule(point, action, _argument(word, action, argument))
    for condition in filter(None, conditions.split(":")):
        _limit(rule, condition, word)
    return rule


def _argument(word: str, action: str, argument: str | None) -> float:
    if (argument is not None) != (action in _NUMBERS):
        wanted = "a number in brackets" if action in _NUMBERS else "no brackets"
        raise WrongFailpoint(f"{action} takes {wanted}: {word!r}")
    if argument is None:
        return 0
    number = _number(argument, word)
    if number < _NUMBERS[action]:
        raise WrongFailpoint(f"{action} takes at least {_NUMBERS[action]:g}: {word!r}")
    return number


def _limit(rule: Rule, condition: str, word: str) -> None:
    if condition == "once":
        rule.most = 1
    elif match := re.fullmatch(r"(count|skip)\(([0-9]+)\)", condition):
        if match[1] == "count":
            rule.most = int(match[2])
        else:
            rule.skipped = int(match[2])
    else:
        rule.probability = _number(condition, word)
        if not 0 <= rule.probability <= 1:
            raise WrongFailpoint(f"a probability is from 0 to 1: {word!r}")


def _number(text: str, word: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", text):
        raise WrongFailpoint(f"{text!r} is no number, once, count(N) or skip(N): {word!r}")
    return float(text)


def listing() -> str:
    """All failpoints, for reading."""
    lines = []
    for point in POINTS:
        names = " = ".join((point.name, *point.aliases))
        lines += [names, f"    {point.what}", f"    {', '.join(point.actions)}"]
    return "\n".join(lines)
