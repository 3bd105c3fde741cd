"""An inbox's hours as an administrator writes them: a line for each day, and one for each holiday.

09:00-13:30, 15:00-18:00        the periods of a day; nothing: it is free
12-25                           a holiday of each year
2026-12-24 09:00-13:00          one of this year, with other periods
"""

from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .hours import DAYS, Hours, check_hours

_NAMES = {
    "mon": _("Monday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "thu": _("Thursday"),
    "fri": _("Friday"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
}
ZONE, HOLIDAYS = "hours_zone", "hours_holidays"


def day_field(day: str) -> str:
    """The name of a day's field."""
    return f"hours_{day}"


NAMES = (ZONE, *(day_field(day) for day in DAYS), HOLIDAYS)


def fields() -> dict[str, forms.Field]:
    """A time zone, the seven days, and the holidays."""
    zones = [("", _("somebody is always there")), *((name, name) for name in _zones())]
    made: dict[str, forms.Field] = {
        ZONE: forms.ChoiceField(
            label=_("time zone"),
            required=False,
            choices=zones,
            help_text=_("Without one the days below mean nothing: somebody is always there."),
        )
    }
    for day in DAYS:
        made[day_field(day)] = forms.CharField(
            label=_NAMES[day],
            required=False,
            max_length=200,
            widget=forms.TextInput(attrs={"size": 50, "placeholder": "09:00-13:30, 15:00-18:00"}),
        )
    made[HOLIDAYS] = forms.CharField(
        label=_("holidays"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 50}),
        help_text=_(
            "One a line: 12-25 for each year, 2026-12-24 for once. Hours behind it, such as"
            " 2026-12-24 09:00-13:00, are instead of the day's own."
        ),
    )
    return made


def _zones() -> list[str]:
    """Those with a place in their name, and UTC."""
    areas = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/")
    known = zoneinfo.available_timezones()
    return ["UTC", *sorted(name for name in known if name.startswith((*areas, "Pacific/")))]


def show(form: forms.ModelForm, hours: Hours) -> None:
    """Fill the fields with these hours."""
    if not hours:
        return
    zone: Any = form.fields[ZONE]
    if (hours["time_zone"],) * 2 not in zone.choices:
        # Set by other means, such as CET.
        zone.choices = [*zone.choices, (hours["time_zone"],) * 2]
    weekly, holidays = hours.get("weekly", {}), hours.get("holidays", {})
    lines = [f"{day} {_periods_written(periods)}".strip() for day, periods in holidays.items()]
    form.initial[ZONE] = hours["time_zone"]
    form.initial[HOLIDAYS] = "\n".join(lines)
    for day in DAYS:
        form.initial[day_field(day)] = _periods_written(weekly.get(day, []))


def _periods_written(periods: list[list[str]]) -> str:
    return ", ".join(f"{begin}-{end}" for begin, end in periods)


def read(form: forms.Form | forms.ModelForm, given: dict[str, Any]) -> Hours:
    """The hours of the fields; what is wrong with one is said at that one."""
    if not given.get(ZONE):
        return {}
    hours: Hours = {"time_zone": given[ZONE], "weekly": {}, "holidays": {}}
    for day in DAYS:
        periods = _periods_read(form, day_field(day), given.get(day_field(day), ""))
        if periods:
            hours["weekly"][day] = periods
    for line in given.get(HOLIDAYS, "").splitlines():
        day, _space, rest = line.strip().partition(" ")
        if day:
            hours["holidays"][day] = _periods_read(form, HOLIDAYS, rest)
            _check(form, HOLIDAYS, {**hours, "weekly": {}, "holidays": {day: []}})
    return hours


def _periods_read(form: forms.Form | forms.ModelForm, name: str, text: str) -> list[list[str]]:
    # Dashes as a text program makes them of hyphens.
    text = text.replace("–", "-").replace("—", "-")
    parts = [part for part in text.replace(";", ",").split(",") if part.strip()]
    periods = [[_time(one) for one in part.split("-")] for part in parts]
    if not _check(form, name, {"time_zone": "UTC", "weekly": {"mon": periods}}):
        return []
    return periods


def _time(text: str) -> str:
    """`9:00`, `9.00` and `9` are `09:00`."""
    hour, _colon, minute = text.strip().replace(".", ":").partition(":")
    return f"{hour.zfill(2)}:{minute or '00'}"


def _check(form: forms.Form | forms.ModelForm, name: str, hours: Hours) -> bool:
    try:
        check_hours(hours)
    except ValidationError as error:
        if error.code == "periods":
            error = ValidationError(
                _("Write periods like 09:00-13:30, 15:00-18:00, in their order."), code="periods"
            )
        if not form.has_error(name):
            form.add_error(name, error)
        return False
    return True
