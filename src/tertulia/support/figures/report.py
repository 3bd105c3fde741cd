"""All numbers of the page, read in one snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import QuerySet

from tertulia.chat.models import Participant
from tertulia.chat.read import snapshot

from .. import hours
from ..models import Agent, Conversation, Inbox, Measure
from . import counting
from .asked import Asked
from .counting import TIMED, Counted, Part, Scope, counted, percentile
from .spans import Span

RATINGS = (5, 4, 3, 2, 1)


class Times(NamedTuple):
    """How long the measures of a kind took, in seconds: half of them, and nine of ten of them, at
    most so long."""

    median: int
    most: int


@dataclass
class Row:
    """The numbers of some days, of an agent or of an inbox."""

    counts: Counter[str] = field(default_factory=Counter)
    times: dict[str, Times] = field(default_factory=dict)
    # How often each was given.
    ratings: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Row:
        """Of all of them together."""
        row = cls()
        for part in parts:
            row.counts.update(part.counts)
            row.ratings.update(part.ratings)
        for kind in TIMED:
            taken = [one for part in parts for one in part.seconds[kind]]
            if taken:
                row.times[kind] = Times(percentile(taken, 50), percentile(taken, 90))
        return row

    def n(self, kind: str) -> int:
        return self.counts[kind]

    @property
    def rating(self) -> float | None:
        """Their mean."""
        n = self.ratings.total()
        return sum(value * times for value, times in self.ratings.items()) / n if n else None


class Waiting(NamedTuple):
    """Who waits for an answer at this moment; `seconds`: how long who has waited longest has."""

    n: int
    longest: Conversation | None = None
    seconds: int = 0


@dataclass
class Report:
    """What the page shows. `each` has a row for each of the spans of `asked`."""

    asked: Asked
    waiting: Waiting
    total: Row
    before: Row
    spans: list[Span]
    each: list[Row]
    # How often each rating was given.
    ratings: dict[int, int]
    # In the order of their names. None: of nobody, or of somebody who is gone.
    agents: list[tuple[Participant | None, Row]]
    inboxes: list[tuple[Inbox, Row]]
    # Who can be chosen.
    people: list[Participant]
    agent: Participant | None

    @property
    def is_empty(self) -> bool:
        return not self.total.counts


def report(asked: Asked) -> Report | None:
    """None where the agent that is asked for is nobody in these inboxes and days."""
    with snapshot():
        agent = None
        if asked.agent is not None:
            agent = Participant.objects.filter(public_id=asked.agent).first()
            if agent is None:
                return None
        whole, before = _moments(asked.span), _moments(asked.before)
        each = [_moments(span) for span in asked.each]
        inbox_ids = [inbox.pk for inbox in asked.inboxes]
        scope = Scope(inbox_ids, None if agent is None else agent.pk, asked.within)
        found = counted(scope, whole, [before, *each])
        people = _people(inbox_ids, found.people)
        if agent is not None and agent not in people:
            return None
        total = Row.of(found.of(whole))
        return Report(
            asked=asked,
            waiting=_waiting(asked, agent),
            total=total,
            before=Row.of(found.of(before)),
            spans=asked.each,
            each=[Row.of(found.of(span)) for span in each],
            ratings={value: total.ratings[value] for value in RATINGS},
            agents=_by_agent(found, people),
            inboxes=_by_inbox(found, asked.inboxes),
            people=people,
            agent=agent,
        )


def _moments(span: Span) -> counting.Span:
    return counting.Span(span.begin, span.end)


def _by_agent(found: Counted, people: list[Participant]) -> list[tuple[Participant | None, Row]]:
    rows = {pk: Row.of([part]) for pk, part in found.agents.items()}
    known: list[tuple[Participant | None, Row]] = [
        (one, rows[one.pk]) for one in people if one.pk in rows
    ]
    return known + ([(None, rows[0])] if 0 in rows else [])


def _by_inbox(found: Counted, inboxes: list[Inbox]) -> list[tuple[Inbox, Row]]:
    """Of one there is nothing that the whole does not say."""
    if len(inboxes) == 1:
        return []
    rows = {pk: Row.of([part]) for pk, part in found.inboxes.items()}
    return [(inbox, rows.get(inbox.pk, Row())) for inbox in inboxes]


def _people(inbox_ids: Sequence[int], measured: Iterable[int]) -> list[Participant]:
    """Who answers in these inboxes now, and who has in these days."""
    now = Agent.objects.filter(inbox__in=inbox_ids).values_list("participant_id", flat=True)
    return list(Participant.objects.filter(pk__in={*now, *measured}).order_by("name_fold", "pk"))


def choosable(inboxes: Sequence[Inbox], chosen: str) -> list[Participant]:
    """Who can be chosen where nothing was counted: who answers in these inboxes now, and whoever is
    chosen already, if he has answered there."""
    his = Measure.objects.filter(inbox__in=inboxes, agent__public_id=chosen)
    return _people([inbox.pk for inbox in inboxes], his.values_list("agent", flat=True)[:1])


def _waiting(asked: Asked, agent: Participant | None) -> Waiting:
    """Snoozed conversations do not wait, and nobody waits for an agent but in his own."""
    found: QuerySet[Conversation] = Conversation.objects.filter(
        inbox__in=[inbox.pk for inbox in asked.inboxes],
        status=Conversation.Status.OPEN,
        waiting_since__isnull=False,
    )
    if agent is not None:
        found = found.filter(agent=agent)
    with_all = found.select_related("room", "inbox", "client__participant", "agent")
    longest = with_all.order_by("waiting_since", "pk").first()
    if longest is None or longest.waiting_since is None:
        return Waiting(0)
    since = longest.waiting_since
    taken = asked.now - since
    if asked.within:
        taken = hours.time_within(longest.inbox.hours, since, asked.now)
    return Waiting(found.count(), longest, max(0, int(taken.total_seconds())))
