"""When somebody will be there: hours of the week in their own time zone, through every change of
the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from tertulia.support.hours import DAYS, check_hours, is_open, next_open, time_within

MADRID: dict[str, Any] = {
    "time_zone": "Europe/Madrid",
    "weekly": {
        **{day: [["09:00", "13:30"], ["15:00", "18:00"]] for day in ("mon", "tue", "wed", "thu")},
        "fri": [["09:00", "15:00"]],
    },
    "holidays": {"12-25": [], "2026-12-24": [["09:00", "12:00"]]},
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        # A Monday in winter (UTC+1): there, in the siesta, after work.
        ("2026-01-12T08:00:00Z", "2026-01-12T08:00:00Z"),
        ("2026-01-12T07:59:59Z", "2026-01-12T08:00:00Z"),
        ("2026-01-12T12:29:59Z", "2026-01-12T12:29:59Z"),
        ("2026-01-12T12:30:00Z", "2026-01-12T14:00:00Z"),
        ("2026-01-12T17:00:00Z", "2026-01-13T08:00:00Z"),
        # On Friday until the afternoon, then on Monday.
        ("2026-01-16T14:00:00Z", "2026-01-19T08:00:00Z"),
        # The clocks are put forward on Sunday, 29 March: Monday begins an hour earlier in UTC.
        ("2026-03-27T20:00:00Z", "2026-03-30T07:00:00Z"),
        # … and back on Sunday, 25 October.
        ("2026-10-23T20:00:00Z", "2026-10-26T08:00:00Z"),
        # Christmas Eve until noon, Christmas not at all, nor the weekend.
        ("2026-12-24T11:00:00Z", "2026-12-28T08:00:00Z"),
        ("2026-12-24T10:00:00Z", "2026-12-24T10:00:00Z"),
        # In another year Christmas Eve is a day like others; Christmas is not.
        ("2027-12-24T11:00:00Z", "2027-12-24T11:00:00Z"),
    ],
)
def test_when_somebody_is_there_next(now: str, opens: str) -> None:
    assert next_open(MADRID, at(now)) == at(opens)
    assert is_open(MADRID, at(now)) is (now == opens)


def test_no_hours_are_always() -> None:
    now = at("2026-01-12T03:00:00Z")
    assert next_open({}, now) == now


def test_hours_without_a_day_are_never() -> None:
    assert next_open({"time_zone": "UTC"}, at("2026-01-12T03:00:00Z")) is None


def test_an_hour_that_comes_twice_counts_twice() -> None:
    """In New York the hour from one to two comes twice on 1 November 2026."""
    night = {"time_zone": "America/New_York", "weekly": {"sun": [["01:00", "01:45"]]}}
    assert next_open(night, at("2026-11-01T05:00:00Z")) == at("2026-11-01T05:00:00Z")
    assert is_open(night, at("2026-11-01T06:30:00Z"))


@pytest.mark.parametrize(
    ("zone", "day", "period", "begin", "end"),
    [
        ("Europe/Madrid", "sun", ["00:00", "02:00"], "2026-10-24T22:00Z", "2026-10-25T00:00Z"),
        ("America/New_York", "sun", ["00:00", "01:00"], "2026-11-01T04:00Z", "2026-11-01T05:00Z"),
        # Here it is the first hour of Sunday that comes twice.
        ("Atlantic/Azores", "sat", ["20:00", "24:00"], "2026-10-24T20:00Z", "2026-10-25T00:00Z"),
        ("America/Havana", "sat", ["20:00", "24:00"], "2026-11-01T00:00Z", "2026-11-01T04:00Z"),
        # … and here the last of Saturday.
        ("America/Santiago", "sat", ["20:00", "24:00"], "2026-04-04T23:00Z", "2026-04-05T04:00Z"),
        # A period that lasts into the hour belongs to it until it is over for good.
        ("Europe/Madrid", "sun", ["01:00", "02:30"], "2026-10-24T23:00Z", "2026-10-25T01:30Z"),
    ],
)
def test_an_hour_that_comes_twice_is_no_part_of_what_ends_where_it_begins(
    zone: str, day: str, period: list[str], begin: str, end: str
) -> None:
    hours = {"time_zone": zone, "weekly": {day: [period]}}
    opens, closes, minute = at(begin), at(end), timedelta(minutes=1)
    assert next_open(hours, opens - 30 * minute) == opens
    assert [is_open(hours, when) for when in (opens - minute, opens)] == [False, True]
    assert [is_open(hours, when) for when in (closes - minute, closes)] == [True, False]
    days = timedelta(days=3)
    assert time_within(hours, opens - days, closes + days) == closes - opens


CHANGES = [
    *("Europe/Madrid", "America/New_York", "Atlantic/Azores", "America/Havana"),
    *("America/Santiago", "Asia/Beirut", "Africa/Cairo", "America/Nuuk"),
    # Half an hour, and two.
    *("Australia/Lord_Howe", "Antarctica/Troll"),
]
STEP = timedelta(minutes=30)


@cache
def changes_of(zone: str) -> list[datetime]:
    """The moments of 2026 at which the clocks there are put."""
    there, first = ZoneInfo(zone), at("2026-01-01T00:00Z")
    each = [first + number * STEP for number in range(365 * 48)]
    offsets = [one.astimezone(there).utcoffset() for one in each]
    return [each[n] for n in range(1, len(each)) if offsets[n] != offsets[n - 1]]


def around(zone: str, change: datetime, *periods: tuple[str, str]) -> dict[str, Any]:
    """These hours, each day; on the day of a change as a holiday, which is told apart."""
    every = [list(period) for period in periods]
    there = change.astimezone(ZoneInfo(zone)).date()
    weekly = {day: every for day in DAYS if day != DAYS[there.weekday()]}
    return {"time_zone": zone, "weekly": weekly, "holidays": {there.isoformat(): every}}


def check_agreement(hours: dict[str, Any], moments: list[datetime]) -> list[bool]:
    """Whether somebody is there in each half hour, as all that can be asked says it."""
    opened = [is_open(hours, moment) for moment in moments]
    for moment, is_there in zip(moments, opened, strict=True):
        inside = time_within(hours, moment, moment + STEP)
        assert inside == (STEP if is_there else timedelta()), moment
    assert time_within(hours, moments[0], moments[-1] + STEP) == sum(opened) * STEP
    for number, is_there in enumerate(opened):
        if not is_there and True in opened[number:]:
            assert next_open(hours, moments[number]) == moments[opened.index(True, number)]
    return opened


def on_the_wall(zone: str, moment: datetime, period: tuple[str, str]) -> bool:
    shown = f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"
    return period[0] <= shown < period[1]


def is_whole(zone: str, change: datetime, text: str) -> bool:
    """Whether this time of the wall clock is not within the time that is left out or comes twice:
    there the wall clock tells no single moment."""
    there = ZoneInfo(zone)
    before = (change - STEP).astimezone(there).replace(tzinfo=None) + STEP
    low, high = sorted((before, change.astimezone(there).replace(tzinfo=None)))
    shown = timedelta(hours=int(text[:2]), minutes=int(text[3:]))
    midnights = (datetime.combine(each, datetime.min.time()) for each in (low, high))
    return not any(low < midnight + shown < high for midnight in midnights)


@pytest.mark.parametrize("zone", CHANGES)
def test_at_each_change_of_the_clocks_all_agree_with_the_wall_clock(zone: str) -> None:
    """Periods that begin and end before, at, within and behind what is left out or comes twice."""
    times = [f"{hour:02}:{minute:02}" for hour in (0, 1, 2, 23) for minute in (0, 30)]
    changes = changes_of(zone)
    assert len(changes) == 2
    exact = 0
    for change in changes:
        moments = [change + number * STEP for number in range(-8, 9)]
        for one in combinations([*times, "03:00", "24:00"], 2):
            told = check_agreement(around(zone, change, one), moments)
            if all(is_whole(zone, change, text) for text in one):
                exact += 1
                assert told == [on_the_wall(zone, moment, one) for moment in moments], one
    # The others begin or end within it.
    assert exact > 30


@pytest.mark.parametrize("zone", CHANGES)
def test_at_each_change_of_the_clocks_several_periods_agree(zone: str) -> None:
    for change in changes_of(zone):
        moments = [change + number * STEP for number in range(-8, 9)]
        for first, second, third in combinations(["00:30", "01:00", "02:00", "02:30", "03:00"], 3):
            periods = (("00:00", first), (first, second), (third, "22:00"), ("23:00", "24:00"))
            check_agreement(around(zone, change, *periods), moments)


def test_an_hour_that_does_not_come_opens_nothing() -> None:
    """In New York the hour from two to three is left out on 8 March 2026."""
    night = {"time_zone": "America/New_York", "weekly": {"sun": [["02:00", "03:00"]]}}
    opens = next_open(night, at("2026-03-08T05:00:00Z"))
    assert opens in (at("2026-03-08T07:00:00Z"), at("2026-03-15T06:00:00Z"))
    begun = {"time_zone": "America/New_York", "weekly": {"sun": [["02:30", "04:00"]]}}
    assert next_open(begun, at("2026-03-08T05:00:00Z")) == at("2026-03-08T07:30:00Z")


def test_a_day_can_last_until_midnight_and_the_next_begin_there() -> None:
    late = {
        "time_zone": "Asia/Kolkata",
        "weekly": {"sat": [["20:00", "24:00"]], "sun": [["00:00", "02:00"]]},
    }
    assert is_open(late, at("2026-01-10T18:30:00Z"))
    assert next_open(late, at("2026-01-10T20:30:00Z")) == at("2026-01-17T14:30:00Z")


def test_a_day_that_a_country_left_out() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    samoa = {"time_zone": "Pacific/Apia", "weekly": {"fri": [["09:00", "17:00"]]}}
    opens = next_open(samoa, at("2011-12-30T04:00:00Z"))
    assert opens is not None
    assert opens.astimezone(UTC) <= at("2012-01-06T00:00:00Z")


@pytest.mark.parametrize(
    "hours",
    [
        [],
        "always",
        {"weekly": {}},
        {"time_zone": "Europe/Nowhere"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": "UTC", "odd": 1},
        {"time_zone": "UTC", "weekly": {"monday": []}},
        {"time_zone": "UTC", "weekly": {"mon": [["9:00", "12:00"]]}},
        {"time_zone": "UTC", "weekly": {"mon": [["12:00", "09:00"]]}},
        {"time_zone": "UTC", "weekly": {"mon": [["09:00", "25:00"]]}},
        {"time_zone": "UTC", "weekly": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}},
        {"time_zone": "UTC", "weekly": {"mon": "09:00-12:00"}},
        {"time_zone": "UTC", "holidays": {"02-30": []}},
        {"time_zone": "UTC", "holidays": {"tomorrow": []}},
        {"time_zone": "UTC", "holidays": {"20261225": []}},
        {"time_zone": "UTC", "holidays": ["2026-12-25"]},
    ],
)
def test_hours_that_cannot_be_used_are_refused(hours: Any) -> None:
    with pytest.raises(ValidationError):
        check_hours(hours)


def test_hours_that_can_be_used_are_not() -> None:
    for hours in (MADRID, {}, {"time_zone": "UTC", "holidays": {"02-29": []}}):
        check_hours(hours)
