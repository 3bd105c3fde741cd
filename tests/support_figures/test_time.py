"""Time inside business hours, and days as moments, through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tertulia.support.figures.spans import before, span_of, split, whole
from tertulia.support.hours import time_within
from tests.support_desk.test_hours import MADRID

NEW_YORK = ZoneInfo("America/New_York")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("begin", "end", "minutes"),
    [
        # A Monday in winter (UTC+1), 09:00 to 13:30 and 15:00 to 18:00.
        ("2026-01-12T08:10:00Z", "2026-01-12T08:25:00Z", 15),
        ("2026-01-12T07:00:00Z", "2026-01-12T08:05:00Z", 5),
        ("2026-01-12T12:00:00Z", "2026-01-12T15:00:00Z", 30 + 60),
        ("2026-01-12T12:45:00Z", "2026-01-12T13:45:00Z", 0),
        ("2026-01-12T00:00:00Z", "2026-01-13T00:00:00Z", 450),
        # From Friday at two (until three) over the weekend to Monday at ten.
        ("2026-01-16T13:00:00Z", "2026-01-19T09:00:00Z", 60 + 60),
        # A whole week has four long days and a short one, however the clocks are put.
        ("2026-01-12T00:00:00Z", "2026-01-19T00:00:00Z", 4 * 450 + 360),
        ("2026-03-26T23:00:00Z", "2026-04-02T22:00:00Z", 4 * 450 + 360),
        # Christmas Eve until noon, Christmas not at all.
        ("2026-12-24T00:00:00Z", "2026-12-26T00:00:00Z", 180),
        # Nothing takes less than no time.
        ("2026-01-12T08:25:00Z", "2026-01-12T08:10:00Z", 0),
    ],
)
def test_how_much_of_it_is_inside_the_hours(begin: str, end: str, minutes: int) -> None:
    assert time_within(MADRID, at(begin), at(end)) == timedelta(minutes=minutes)


def test_without_hours_all_of_it_counts() -> None:
    begin, end = at("2026-01-12T03:00:00Z"), at("2026-01-13T04:00:00Z")
    assert time_within({}, begin, end) == timedelta(hours=25)
    assert time_within({}, end, begin) == timedelta()
    assert time_within({"time_zone": "UTC"}, begin, end) == timedelta()


def test_an_hour_that_comes_twice_counts_twice_and_never_more() -> None:
    """In New York the hour from one to two comes twice on 1 November 2026."""
    night = {"time_zone": "America/New_York", "weekly": {"sun": [["00:00", "03:00"]]}}
    begin, end = at("2026-11-01T00:00:00-04:00"), at("2026-11-02T00:00:00-05:00")
    assert time_within(night, begin, end) == timedelta(hours=4)
    # Both of these have a part of it.
    parted = {**night, "weekly": {"sun": [["00:00", "01:30"], ["01:30", "03:00"]]}}
    assert time_within(parted, begin, end) == timedelta(hours=4)


def test_an_hour_that_the_clocks_jump_over_counts_nothing() -> None:
    night = {"time_zone": "America/New_York", "weekly": {"sun": [["01:00", "04:00"]]}}
    begin, end = at("2026-03-08T00:00:00-05:00"), at("2026-03-09T00:00:00-04:00")
    assert time_within(night, begin, end) == timedelta(hours=2)


def test_what_never_ends_is_looked_at_for_a_year_and_more() -> None:
    always = {"time_zone": "UTC", "weekly": {"mon": [["00:00", "24:00"]]}}
    found = time_within(always, at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"))
    assert timedelta(days=56) <= found <= timedelta(days=58)


def test_days_follow_each_other_without_a_gap() -> None:
    for first, last in (
        (date(2026, 3, 6), date(2026, 3, 10)),
        (date(2026, 10, 30), date(2026, 11, 3)),
    ):
        days = split(first, last, NEW_YORK)
        assert [day.first for day in days] == [first + timedelta(days=n) for n in range(5)]
        assert all(one.end == other.begin for one, other in pairwise(days))
    (short,) = split(date(2026, 3, 8), date(2026, 3, 8), NEW_YORK)
    assert short.end - short.begin == timedelta(hours=23)
    (long,) = split(date(2026, 11, 1), date(2026, 11, 1), NEW_YORK)
    assert long.end - long.begin == timedelta(hours=25)


def test_a_day_that_a_country_left_out_has_no_moment() -> None:
    """Samoa had no 30 December 2011."""
    day = span_of(date(2011, 12, 30), date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert day.end <= day.begin


def test_the_days_before_are_as_many_and_as_long() -> None:
    now = at("2026-03-10T15:30:00Z")
    week = whole(date(2026, 3, 4), date(2026, 3, 10), UTC, now)
    assert (week.begin, week.end) == (at("2026-03-04T00:00:00Z"), now)
    earlier = before(week, UTC, now)
    assert (earlier.begin, earlier.end) == (at("2026-02-25T00:00:00Z"), at("2026-03-03T15:30:00Z"))
    past = whole(date(2026, 2, 1), date(2026, 2, 10), UTC, now)
    assert before(past, UTC, now)[2:] == (at("2026-01-22T00:00:00Z"), at("2026-02-01T00:00:00Z"))
