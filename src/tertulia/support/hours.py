"""When somebody is there: an inbox's weekly hours, in its own time zone, and its holidays.

    {"time_zone": "Europe/Madrid",
     "weekly": {"mon": [["09:00", "13:30"], ["15:00", "18:00"]], "tue": …},
     "holidays": {"12-25": [], "2026-12-24": [["09:00", "13:00"]]}}

Times are of the wall clock there, `24:00` is the end of a day. A day that `weekly` does not name is
free. `holidays` replaces the periods of a day, each year or once. No hours at all: always there.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Periods of one day, and days that are looked at: a yearly holiday and more.
PERIODS = 12
HORIZON = 400
HOLIDAYS = 1_000

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z|24:00\Z")
_EACH_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}\Z")
_DAY = re.compile(r"(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}\Z")

Hours = dict[str, Any]
Period = tuple[str, str]


def check_hours(value: Any) -> None:
    """Raises `ValidationError` with a sentence for people."""
    if value in ({}, None):
        return
    if not isinstance(value, dict) or set(value) - {"time_zone", "weekly", "holidays"}:
        raise ValidationError(_("Hours are time_zone, weekly and holidays."), code="invalid")
    if not isinstance(value.get("time_zone"), str) or _zone(value["time_zone"]) is None:
        raise ValidationError(
            _("Name a time zone, such as Europe/Madrid, as time_zone."), code="zone"
        )
    weekly, holidays = value.get("weekly", {}), value.get("holidays", {})
    if not isinstance(weekly, dict) or set(weekly) - set(DAYS):
        raise ValidationError(
            _("The days of weekly are mon, tue, wed, thu, fri, sat and sun."), code="days"
        )
    if not isinstance(holidays, dict) or len(holidays) > HOLIDAYS:
        raise ValidationError(_("Holidays are a day with its periods each."), code="holidays")
    for day in holidays:
        _check_day(day)
    for periods in (*weekly.values(), *holidays.values()):
        _check_periods(periods)


def _check_day(day: str) -> None:
    try:
        # Other ways of writing a day would not be found again.
        if not _DAY.match(day):
            raise ValueError(day)
        # A leap year, for 29 February.
        date.fromisoformat(f"2024-{day}" if _EACH_YEAR.match(day) else day)
    except ValueError:
        raise ValidationError(
            _("“%(day)s” is no day: write it like 12-25 or 2026-12-25."),
            code="day",
            params={"day": day},
        ) from None


def _check_periods(periods: Any) -> None:
    fits = isinstance(periods, list) and len(periods) <= PERIODS
    fits = fits and all(
        isinstance(period, list)
        and len(period) == 2
        and all(isinstance(one, str) and _TIME.match(one) for one in period)
        and period[0] < period[1]
        for period in periods
    )
    if not fits or any(one[1] > other[0] for one, other in pairwise(periods)):
        raise ValidationError(
            _("Periods are like [[“09:00”, “13:00”], [“15:00”, “18:00”]], in their order."),
            code="periods",
        )


@lru_cache(maxsize=64)
def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_open(hours: Hours, now: datetime) -> bool:
    """Whether somebody is to be there at this moment."""
    return next_open(hours, now) == now


def next_open(hours: Hours, now: datetime) -> datetime | None:
    """When somebody will be there: `now` if it is so already, else in UTC; None for never."""
    if not hours:
        return now
    for begin, end in _periods(hours, now):
        if now < end:
            return max(now, begin)
    return None


def time_within(hours: Hours, begin: datetime, end: datetime) -> timedelta:
    """How much of the time between two moments is inside the hours; all of it where there are none.

    An hour that comes twice counts twice, one that the clocks jump over not at all. Of what lasts
    longer than `HORIZON` days only the first so many are looked at. Nothing, where `end` is first.
    """
    if not hours:
        return max(end - begin, timedelta())
    inside, seen = timedelta(), begin
    for opens, closed in _periods(hours, begin):
        if opens >= end:
            break
        # Two periods of a day may have a part of the hour that comes twice in common.
        since, until = max(opens, seen), min(closed, end)
        if since < until:
            inside += until - since
            seen = until
    return inside


def zone_of(hours: Hours) -> zoneinfo.ZoneInfo | None:
    """The time zone in which the hours are told; None where there are none."""
    return _zone(hours["time_zone"]) if hours else None


def _periods(hours: Hours, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The periods from today on, as moments; none that the clocks jump over whole.

    Before them those of the day before: where the clocks jump over its last hour, as in Nuuk, what
    ends within that is over only today.
    """
    zone = _zone(hours["time_zone"]) or UTC
    today = now.astimezone(zone).date()
    for ahead in range(-1, HORIZON):
        day = today + timedelta(days=ahead)
        for begins, ends in _periods_of(hours, day):
            begin, end = _moment(_local(day, begins, zone), 0), _end(_local(day, ends, zone))
            if begin < end:
                yield begin, end


def _periods_of(hours: Hours, day: date) -> list[Period]:
    holidays = hours.get("holidays", {})
    for key in (day.isoformat(), f"{day:%m-%d}"):
        if key in holidays:
            found: list[Period] = holidays[key]
            return found
    weekly: list[Period] = hours.get("weekly", {}).get(DAYS[day.weekday()], [])
    return weekly


def _local(day: date, text: str, zone: Any) -> datetime:
    """A time of the wall clock there."""
    if text == "24:00":
        day, text = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(text), zone)


def _end(local: datetime) -> datetime:
    """When a period is over that lasts until this time of the wall clock.

    An hour that comes twice belongs to the period both times; but it does not where it only begins
    at the end of the period, whose last minute comes once. That minute alone does not tell it
    either: the clocks may have jumped over it.
    """
    minute = timedelta(minutes=1)
    return min(_moment(local, 1), _moment(local - minute, 1) + minute)


def _moment(local: datetime, fold: int) -> datetime:
    """A time of the wall clock, in UTC.

    One that the clocks jump over is as long after the jump as it would have been after the hour
    before it: that is what `fold=0` means of it.
    """
    return local.replace(fold=0 if _is_gap(local) else fold).astimezone(UTC)


def _is_gap(local: datetime) -> bool:
    back = local.astimezone(UTC).astimezone(local.tzinfo)
    return back.replace(tzinfo=None) != local.replace(tzinfo=None)
