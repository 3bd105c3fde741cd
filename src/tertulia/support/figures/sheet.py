"""The rows of the page as CSV, for a program or a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from django.http import HttpResponse
from django.utils.translation import gettext as _

from tertulia.chat.shown import plain

from . import tables
from .report import Report, Row

# What a spreadsheet takes for the beginning of a formula, in the wide forms of East Asia, too.
_FORMULA = tuple("=+-@|%＝＋－＠")


def sheet(report: Report, rows: str) -> HttpResponse:
    """`rows`: `days`, `agents` or `inboxes`. Times in whole seconds, days as 2026-01-31."""
    asked = report.asked
    out = io.StringIO()
    csv.writer(out).writerows(_lines(report, rows))
    # Spreadsheets take it for UTF-8 only with a mark at its beginning.
    response = HttpResponse(out.getvalue().encode("utf-8-sig"), content_type="text/csv")
    name = f"figures-{rows}-{asked.first:%Y-%m-%d}-{asked.last:%Y-%m-%d}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _lines(report: Report, rows: str) -> Iterator[list[str]]:
    columns = tables.chosen(report, tables.ALL, by_agent=rows == "agents")
    labels = [f"{one.label} (s)" if one.unit == "s" else str(one.label) for one in columns]
    head, found = {"days": _days, "agents": _agents, "inboxes": _inboxes}[rows](report)
    yield [*head, *labels]
    for names, row in found:
        yield [*(safe(name) for name in names), *(_number(one.value(row)) for one in columns)]


_Found = tuple[list[str], list[tuple[list[str], Row]]]


def _days(report: Report) -> _Found:
    pairs = zip(report.spans, report.each, strict=True)
    rows = [([span.first.isoformat(), span.last.isoformat()], row) for span, row in pairs]
    return [_("First day"), _("Last day")], rows


def _agents(report: Report) -> _Found:
    rows = [([_("nobody's") if one is None else one.name], row) for one, row in report.agents]
    return [_("Agent")], rows


def _inboxes(report: Report) -> _Found:
    """Of one inbox it is the whole."""
    found = report.inboxes or [(report.asked.inboxes[0], report.total)]
    return [_("Inbox")], [([inbox.name], row) for inbox, row in found]


def _number(value: tables.Value) -> str:
    """Nothing where nothing was measured; a mean with two digits."""
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def safe(name: str) -> str:
    """What somebody has called himself, never as a formula: it then begins with an apostrophe."""
    seen = plain(name)
    return f"'{seen}" if seen.startswith(_FORMULA) else seen
