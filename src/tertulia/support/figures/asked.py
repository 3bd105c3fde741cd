"""What the address asks for: which days, which inbox, which agent, and how time is counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tertulia.chat.models import Participant
from tertulia.chat.profile.spoken import zone_of

from .. import hours
from ..models import Inbox
from . import spans

PERIODS = (7, 30, 90)
DEFAULTS = {"period": "30", "time": "clock", "rows": "days"}
# Fields whose wrong value means that there is no such thing, for this agent.
THINGS = ("inbox", "agent")
# Fields that only count with days of one's own.
_OWN = ("first", "last")
_NO_INBOX = gettext_lazy("There is no such inbox, or you do not answer in it.")
_NO_DAY = gettext_lazy("Write a day as year, month and day, such as 2026-01-31.")


class Zone(NamedTuple):
    """The time zone of the days, and whose it is: `inbox`, `person` or `site`."""

    info: tzinfo
    name: str
    whose: str


@dataclass(frozen=True)
class Asked:
    """A request that has been understood. `now` is the moment at which it was made."""

    inboxes: list[Inbox]
    # Public id; None: all of them.
    agent: str | None
    within: bool
    first: date
    last: date
    zone: Zone
    now: datetime

    @property
    def span(self) -> spans.Span:
        return spans.whole(self.first, self.last, self.zone.info, self.now)

    @property
    def before(self) -> spans.Span:
        return spans.before(self.span, self.zone.info, self.now)

    @property
    def each(self) -> list[spans.Span]:
        return spans.split(self.first, self.last, self.zone.info)


def _day_field(label: Any) -> forms.DateField:
    # The one form in which browsers send a day, whatever the language.
    return forms.DateField(
        label=label,
        required=False,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _NO_DAY},
    )


def _periods() -> list[tuple[str, str]]:
    days = [(str(n), ngettext("%d day", "%d days", n) % n) for n in PERIODS]
    return [*days, ("own", _("From … to …"))]


class AskForm(forms.Form):
    """The form above the figures; what an address leaves out is as in `DEFAULTS`."""

    period = forms.ChoiceField(
        label=gettext_lazy("Period"),
        choices=_periods,
        widget=forms.RadioSelect,
    )
    first = _day_field(gettext_lazy("From"))
    last = _day_field(gettext_lazy("To"))
    inbox = forms.ChoiceField(
        label=gettext_lazy("Inbox"), required=False, error_messages={"invalid_choice": _NO_INBOX}
    )
    agent = forms.CharField(label=gettext_lazy("Agent"), required=False, max_length=40)
    time = forms.ChoiceField(
        label=gettext_lazy("Time"),
        choices=[
            ("clock", gettext_lazy("by the clock")),
            ("hours", gettext_lazy("only within business hours")),
        ],
    )
    rows = forms.ChoiceField(choices=[(name, name) for name in ("days", "agents", "inboxes")])
    format = forms.ChoiceField(required=False, choices=[("csv", "csv")])

    def __init__(self, given: QueryDict, mine: list[Inbox], person: Participant) -> None:
        self.mine = mine
        self.person = person
        self.now = timezone.now()
        super().__init__(_with_defaults(given))
        self.fields["inbox"].choices = [  # type: ignore[attr-defined]
            ("", _("all of mine")),
            *((inbox.public_id, inbox.name) for inbox in mine),
        ]

    @cached_property
    def zone(self) -> Zone:
        """That of the inbox; of several, or where it has no hours, that of who asks."""
        chosen = self._chosen()
        if len(chosen) == 1 and (info := hours.zone_of(chosen[0].hours)) is not None:
            return Zone(info, info.key, "inbox")
        whose = "site" if zone_of(self.person) is None else "person"
        return Zone(timezone.get_current_timezone(), timezone.get_current_timezone_name(), whose)

    def _chosen(self) -> list[Inbox]:
        public_id = self.cleaned_data.get("inbox")
        return [one for one in self.mine if not public_id or one.public_id == public_id]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        today = self.now.astimezone(self.zone.info).date()
        if given["period"] == "own":
            self._clean_days(given, today)
        else:
            given["first"] = today - timedelta(days=int(given["period"]) - 1)
            given["last"] = today
            # Whoever goes on to days of his own begins with these.
            shown = {name: given[name].isoformat() for name in _OWN}
            self.data = {**self.data, **shown}
        return given

    def _clean_days(self, given: dict[str, Any], today: date) -> None:
        """Days that are still to come are left out: nobody has to know how long a month is."""
        first, last = given["first"], given["last"]
        for name in _OWN:
            if given[name] is None:
                self.add_error(name, _("Name the first and the last day."))
        if first is None or last is None:
            return
        if not spans.EARLIEST <= first <= today:
            self.add_error("first", _("Begin with a day from the year 2000 on that has come."))
        elif last < first:
            self.add_error("last", _("The last day is before the first."))
        elif (min(last, today) - first).days >= spans.MOST:
            told = _("Ask for %(most)d days at once, at most.") % {"most": spans.MOST}
            self.add_error("last", told)
        given["last"] = min(last, today)

    def asked(self) -> Asked:
        """Of a form that is valid."""
        given = self.cleaned_data
        return Asked(
            inboxes=self._chosen(),
            agent=given["agent"] or None,
            within=given["time"] == "hours",
            first=given["first"],
            last=given["last"],
            zone=self.zone,
            now=self.now,
        )

    def status(self) -> int:
        """Of an answer that says what is wrong."""
        return 404 if any(name in self.errors for name in THINGS) else 400


def _with_defaults(given: QueryDict) -> Mapping[str, Any]:
    """The last of each that is given, and the default of what is empty or missing. NUL, which no
    database takes, means nothing in it."""
    told = {name: str(value).replace("\0", "") for name, value in given.items()}
    if told.get("period") != "own":
        told |= dict.fromkeys(_OWN, "")
    return {**DEFAULTS, **{name: value for name, value in told.items() if value}}
