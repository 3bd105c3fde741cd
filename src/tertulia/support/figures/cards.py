"""The few numbers that stand first, each beside what it was in the days before."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import shown, tables
from .counting import Kind
from .report import Report
from .tables import Column


class Card(NamedTuple):
    """`change`: what it was in the days before, in a few words."""

    title: str
    value: str
    detail: str
    change: str


def cards(report: Report) -> list[Card]:
    """With an agent chosen, without what is nobody's."""
    more, fewer = _("more"), _("fewer")
    longer, shorter = _("longer"), _("shorter")
    opened = _card(report, _("Opened"), tables.FLOW[0], more, fewer, _reopened(report))
    rest = [_card(report, _("Resolved"), tables.FLOW[2], more, fewer, "")]
    rest += [
        _card(report, title, median, longer, shorter, _most(report, most))
        for title, median, most in (
            (_("First answer"), *tables.FIRST[1:]),
            (_("Waiting for an answer"), *tables.ANSWERS[1:]),
            (_("Resolution"), *tables.RESOLUTIONS),
        )
    ]
    rating = tables.RATINGS[1]
    rest.append(_card(report, _("Rating"), rating, _("higher"), _("lower"), _rated(report)))
    return rest if report.agent else [opened, *rest]


def _card(report: Report, title: str, column: Column, more: str, less: str, detail: str) -> Card:
    value = tables.cell(column, report.total, within=report.asked.within)
    return Card(title, value, detail, _change(report, column, more, less))


def _change(report: Report, column: Column, more: str, less: str) -> str:
    now, then = column.value(report.total), column.value(report.before)
    # A time may have been none at all: nothing was measured only where there is no median.
    if then is None or (then == 0 and column.unit == "n"):
        return _("before: nothing")
    told = {"then": tables.cell(column, report.before, within=report.asked.within)}
    if now is None or (then == 0 and now != then):
        return _("before: %(then)s") % told
    told["change"] = shown.change(now, then, more, less) if then else ""
    if not told["change"]:
        return _("before: the same")
    return _("%(change)s; before: %(then)s") % told


def _most(report: Report, column: Column) -> str:
    if column.value(report.total) is None:
        return ""
    most = tables.cell(column, report.total, within=report.asked.within)
    return _("median; 9 of 10 within %(time)s") % {"time": most}


def _reopened(report: Report) -> str:
    n = report.total.n(Kind.REOPENED)
    if not n:
        return ""
    return _("and %(n)s reopened") % {"n": shown.count(n)}


def _rated(report: Report) -> str:
    n = report.total.n(Kind.RATING)
    if not n:
        return ""
    told = ngettext("of 5, by %(n)s rating", "of 5, by %(n)s ratings", n)
    return told % {"n": shown.count(n)}
