"""Plots as inline SVG: where its bars, lines and words stand.

Across, everything is in percent of the plot, so that it is as wide as the page lets it be and its
words keep their size; down, in pixels. Nothing is told by colour alone: what is counted has bars,
and each line marks and strokes of its own. All numbers are text with a point, in any language.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext as _

from . import shown, tables
from .report import Report, Row
from .tables import Column, Table

HEIGHT = 168
# Lines across, at most; and days that are named, at most.
TICKS = 5
NAMED = 7
# Of the place of a day, what a bar takes.
BAR = 0.68
# With more days than this, marks are small.
SMALL = 45
# Characters of a number at the side that need more room than there is.
WIDE = 8

# What a time axis counts in: seconds.
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(n * shown.MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * shown.HOUR for n in (1, 2, 3, 6, 12)),
)


class Bar(NamedTuple):
    x: str
    y: str
    width: str
    height: str


class Stroke(NamedTuple):
    x1: str
    y1: str
    x2: str
    y2: str


class Mark(NamedTuple):
    x: str
    y: str


class Tick(NamedTuple):
    y: str
    label: str


class Day(NamedTuple):
    """`minor`: left out where there is little room."""

    x: str
    label: str
    minor: bool


class Hit(NamedTuple):
    """The place of a day, with what is said of it to who points there."""

    x: str
    width: str
    text: str


@dataclass
class Series:
    """`form`: `bars`, `solid` or `dashed`."""

    form: str
    label: str
    values: list[float | None]
    bars: list[Bar] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Plot:
    """`hint` says what it counts; `told`, in a sentence each, the highest of what it shows."""

    key: str
    title: str
    hint: str
    told: str
    table: Table
    series: list[Series]
    ticks: list[Tick]
    days: list[Day]
    hits: list[Hit]
    is_small: bool
    is_empty: bool
    height: int = HEIGHT

    @property
    def is_wide(self) -> bool:
        """Whether what stands at the side is long, such as `1 h 30 min`."""
        return any(len(tick.label) >= WIDE for tick in self.ticks)


def plots(report: Report) -> list[Plot]:
    """One for each question, in the order in which one asks them."""
    opened = [] if report.agent else [(tables.FLOW[0], "bars")]
    counted = _plot(
        report,
        ("flow", _("Opened and resolved"), _hint("flow")),
        [*opened, (tables.FLOW[2], "solid")],
        tables.FLOW,
    )
    timed = [
        _plot(report, (key, title, _hint(key)), [(median, "solid"), (most, "dashed")], columns)
        for key, title, median, most, columns in (
            ("first", _("First answer"), *tables.FIRST[1:], tables.FIRST),
            ("waiting", _("Waiting for an answer"), *tables.ANSWERS[1:], tables.ANSWERS),
            ("resolution", _("Resolution"), *tables.RESOLUTIONS, _RESOLVED),
        )
    ]
    return [counted, *timed]


_RESOLVED = (tables.FLOW[2], *tables.RESOLUTIONS)


def _hint(key: str) -> str:
    return {
        "flow": _("Conversations that were begun, and how often one was resolved."),
        "first": _("From the visitor’s first message to the first answer of an agent."),
        "waiting": _("From a message that nobody had answered to the answer, each time."),
        "resolution": _("From the opening, or the last reopening, until it was resolved."),
    }[key]


def _plot(
    report: Report,
    words: tuple[str, str, str],
    drawn: list[tuple[Column, str]],
    columns: tuple[Column, ...],
) -> Plot:
    key, title, hint = words
    within = report.asked.within
    series = [
        Series(form, _label(column), [column.value(row) for row in report.each])
        for column, form in drawn
    ]
    is_time = drawn[-1][0].unit == "s"
    text = partial(shown.duration, within=within) if is_time else shown.count
    top, step = _axis(_highest(series), is_time=is_time, within=within)
    for one in series:
        _draw(one, top)
    return Plot(
        key=key,
        title=title,
        hint=hint,
        told=_told(report, series, [column for column, _form in drawn]),
        table=tables.by_day(report, title, columns),
        series=series,
        ticks=_ticks(top, step, text),
        days=_days(report),
        hits=_hits(report, [column for column, _form in drawn]),
        is_small=len(report.each) > SMALL,
        is_empty=not any(map(_is_any, series)) if is_time else not _highest(series),
    )


def _is_any(series: Series) -> bool:
    """No time at all is a time, too: within business hours it often is."""
    return any(value is not None for value in series.values)


def _label(column: Column) -> str:
    return str(column.label)


def _highest(series: list[Series]) -> float:
    return max((value or 0 for one in series for value in one.values), default=0)


def _axis(highest: float, *, is_time: bool, within: bool) -> tuple[float, float]:
    """The top of the axis, and the distance of its lines: few, at round numbers."""
    step = _time_step(highest, within=within) if is_time else _count_step(highest)
    return step * max(1, math.ceil(highest / step)), step


def _count_step(highest: float) -> int:
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * TICKS >= highest:
                return digit * power
        power *= 10


def _time_step(highest: float, *, within: bool) -> int:
    for step in _STEPS:
        if step * TICKS >= highest:
            return step
    # Within business hours there are no days.
    unit = shown.HOUR if within else shown.DAY
    return unit * _count_step(highest / unit)


def _draw(series: Series, top: float) -> None:
    n = len(series.values)
    heights = [None if v is None else HEIGHT * v / top for v in series.values]
    if series.form == "bars":
        wide = 100 / n * BAR
        series.bars = [
            Bar(_percent(_middle(at, n) - wide / 2), _px(HEIGHT - high), _percent(wide), _px(high))
            for at, high in enumerate(heights)
            if high
        ]
        return
    points = [
        None if high is None else Mark(_percent(_middle(at, n)), _px(HEIGHT - high))
        for at, high in enumerate(heights)
    ]
    series.marks = [point for point in points if point is not None]
    # A day without a number is no number: the line stops before it.
    series.strokes = [
        Stroke(*one, *other)
        for one, other in pairwise(points)
        if one is not None and other is not None
    ]


def _ticks(top: float, step: float, text: Callable[[int], str]) -> list[Tick]:
    return [
        Tick(_px(HEIGHT - HEIGHT * at * step / top), text(round(at * step)) if at else "0")
        for at in range(round(top / step) + 1)
    ]


def _days(report: Report) -> list[Day]:
    """Named from the last one back: that is the one that is looked for first."""
    n = len(report.spans)
    every = math.ceil(n / NAMED)
    named = range(n - 1, -1, -every)
    return [
        Day(_percent(_middle(at, n)), shown.short_day(report.spans[at].first), bool(place % 2))
        for place, at in enumerate(named)
    ]


def _hits(report: Report, columns: list[Column]) -> list[Hit]:
    n = len(report.spans)
    found = []
    for at, (span, row) in enumerate(zip(report.spans, report.each, strict=True)):
        lines = [f"{_label(one)}: {_cell(report, one, row)}" for one in columns]
        text = "\n".join([shown.days(span), *lines])
        found.append(Hit(_percent(100 / n * at), _percent(100 / n), text))
    return found


def _told(report: Report, series: list[Series], columns: list[Column]) -> str:
    """What the plot shows, for who hears it; all of it is in its table."""
    told = []
    for one, column in zip(series, columns, strict=True):
        highest = max(range(len(one.values)), key=lambda at: one.values[at] or 0)
        if not one.values[highest]:
            continue
        told.append(
            _("%(what)s: highest %(value)s, %(day)s.")
            % {
                "what": one.label,
                "value": _cell(report, column, report.each[highest]),
                "day": shown.days(report.spans[highest]),
            }
        )
    return " ".join(told)


def _cell(report: Report, column: Column, row: Row) -> str:
    return tables.cell(column, row, within=report.asked.within)


def _middle(at: int, n: int) -> float:
    return 100 / n * (at + 0.5)


def _percent(value: float) -> str:
    return f"{value:.3f}%"


def _px(value: float) -> str:
    return f"{value:.1f}"
