"""The days that are asked for, as moments: in the time zone in which they are days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

# More days than this are shown by weeks.
DAYS = 92
# Days that can be asked for at once, and where they may begin.
MOST = 366
EARLIEST = date(2000, 1, 1)

_DAY = timedelta(days=1)


class Span(NamedTuple):
    """From the beginning of `first` to the end of `last`: in UTC from `begin`, before `end`."""

    first: date
    last: date
    begin: datetime
    end: datetime


def span_of(first: date, last: date, zone: tzinfo) -> Span:
    """These days whole. One that a country left out has no moment in it."""
    return Span(first, last, midnight(first, zone), midnight(last + _DAY, zone))


def midnight(day: date, zone: tzinfo) -> datetime:
    """When it begins; where the clocks jump over midnight, when they have."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def split(first: date, last: date, zone: tzinfo) -> list[Span]:
    """A span for each day; of many days, for each week from Monday on, cut at both ends."""
    if (last - first).days < DAYS:
        days = [first + n * _DAY for n in range((last - first).days + 1)]
        return [span_of(day, day, zone) for day in days]
    found = []
    while first <= last:
        sunday = min(last, first + (6 - first.weekday()) * _DAY)
        found.append(span_of(first, sunday, zone))
        first = sunday + _DAY
    return found


def whole(first: date, last: date, zone: tzinfo, now: datetime) -> Span:
    """All of these days, as far as they are over."""
    days = span_of(first, last, zone)
    return days._replace(end=min(days.end, now))


def before(span: Span, zone: tzinfo, now: datetime) -> Span:
    """As many days right before, up to the same time of their last day."""
    back = timedelta(days=(span.last - span.first).days + 1)
    days = span_of(span.first - back, span.first - _DAY, zone)
    if span.end < now:
        return days
    local = now.astimezone(zone).replace(tzinfo=None) - back
    return days._replace(end=local.replace(tzinfo=zone).astimezone(UTC))
