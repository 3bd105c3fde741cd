"""When somebody will be there: hours of the week in their own time zone, through every change of
the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tertulia.support.hours import check_hours, is_open, next_open

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
