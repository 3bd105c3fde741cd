"""The numbers as rows and columns: for the tables of the page, and for CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from . import shown
from .counting import Kind
from .report import Report, Row

Value = int | float | None


class Column(NamedTuple):
    """`unit`: `n`, `s` (a time) or `rating`. `by`: whether agents have it, too."""

    label: object
    unit: str
    value: Callable[[Row], Value]
    by_agent: bool = True


def _count(label: object, kind: Kind, *, by_agent: bool = True) -> Column:
    return Column(label, "n", lambda row: row.n(kind), by_agent)


def _median(label: object, kind: Kind) -> Column:
    return Column(label, "s", lambda row: _time(row, kind, "median"))


def _most(label: object, kind: Kind) -> Column:
    return Column(label, "s", lambda row: _time(row, kind, "most"))


def _time(row: Row, kind: Kind, which: str) -> int | None:
    taken = row.times.get(kind)
    return None if taken is None else getattr(taken, which)


FLOW = (
    _count(gettext_lazy("Opened"), Kind.OPENED, by_agent=False),
    _count(gettext_lazy("Reopened"), Kind.REOPENED, by_agent=False),
    _count(gettext_lazy("Resolved"), Kind.RESOLUTION),
)
FIRST = (
    _count(gettext_lazy("First answers"), Kind.FIRST_ANSWER),
    _median(gettext_lazy("First answer, median"), Kind.FIRST_ANSWER),
    _most(gettext_lazy("First answer, 9 of 10"), Kind.FIRST_ANSWER),
)
ANSWERS = (
    _count(gettext_lazy("Answers"), Kind.ANSWER),
    _median(gettext_lazy("Waiting, median"), Kind.ANSWER),
    _most(gettext_lazy("Waiting, 9 of 10"), Kind.ANSWER),
)
RESOLUTIONS = (
    _median(gettext_lazy("Resolution, median"), Kind.RESOLUTION),
    _most(gettext_lazy("Resolution, 9 of 10"), Kind.RESOLUTION),
)
RATINGS = (
    _count(gettext_lazy("Ratings"), Kind.RATING),
    Column(gettext_lazy("Rating, mean"), "rating", lambda row: row.rating),
)
ALL = (*FLOW, *FIRST, *ANSWERS, *RESOLUTIONS, *RATINGS)


class Line(NamedTuple):
    """`name` is what somebody has written, where `is_name`; `cells` stand below the columns."""

    name: str
    is_name: bool
    cells: list[str]


class Table(NamedTuple):
    """`head` names the first column."""

    title: str
    head: str
    columns: list[str]
    lines: list[Line]


def cell(column: Column, row: Row, *, within: bool) -> str:
    """A number in the words of who reads it."""
    value = column.value(row)
    if value is None:
        return shown.NOTHING
    if column.unit == "s":
        return shown.duration(int(value), within=within)
    return shown.mean(value) if column.unit == "rating" else shown.count(int(value))


def _table(
    report: Report, title: str, head: str, columns: list[Column], rows: list[tuple[str, bool, Row]]
) -> Table:
    within = report.asked.within
    lines = [
        Line(name, is_name, [cell(column, row, within=within) for column in columns])
        for name, is_name, row in rows
    ]
    return Table(title, head, [str(column.label) for column in columns], lines)


def chosen(report: Report, columns: tuple[Column, ...], *, by_agent: bool = False) -> list[Column]:
    """Those that are of anybody's: with an agent chosen, only what is his."""
    all_of_them = report.agent is None and not by_agent
    return [column for column in columns if all_of_them or column.by_agent]


def head_of_days(report: Report) -> str:
    """What a row of the spans is."""
    return _("Week") if is_weekly(report) else _("Day")


def is_weekly(report: Report) -> bool:
    """Whether a row is of a week."""
    return any(span.first != span.last for span in report.spans)


def by_day(report: Report, title: str, columns: tuple[Column, ...]) -> Table:
    """A row for each day or week."""
    rows = [
        (shown.days(span), False, row) for span, row in zip(report.spans, report.each, strict=True)
    ]
    return _table(report, title, head_of_days(report), chosen(report, columns), rows)


def by_agent(report: Report) -> Table:
    """A row for each agent who has done anything in these days."""
    rows = [
        (one.name if one is not None else _("nobody's"), one is not None, row)
        for one, row in report.agents
    ]
    columns = chosen(report, ALL, by_agent=True)
    return _table(report, _("By agent"), _("Agent"), columns, rows)


def by_inbox(report: Report) -> Table:
    """A row for each inbox, also where nothing has happened."""
    rows = [(str(inbox), True, row) for inbox, row in report.inboxes]
    return _table(report, _("By inbox"), _("Inbox"), chosen(report, ALL), rows)


def ratings(report: Report) -> Table:
    """How often each was given."""
    rated = sum(report.ratings.values())
    lines = [
        Line(f"{value} ★", False, [shown.count(n), shown.share(n, rated)])
        for value, n in report.ratings.items()
    ]
    columns = [pgettext("of ratings", "Times"), _("Share")]
    return Table(_("Ratings"), _("Rating"), columns, lines)
