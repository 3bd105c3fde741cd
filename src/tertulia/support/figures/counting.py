"""Measures, counted in the database: for SQLite and PostgreSQL the same plain SQL, but for the name
of a function.

The moments at which the days begin and end cut the time into pieces. For each of these, one
statement looks at its part of an index that has all that is asked for, and puts the measures into
groups; so every measure is read once, and what is shown is put together from groups. The times of a
group come as one text: as rows they would hold up the process, and take longer.

Percentiles are by nearest rank: of `n` values in their order, that at the place `n` times the
share, rounded up. So each is a value that has occurred, and at least that share of the values is no
greater. They are found in the sorted times of each piece, which are not sorted again for the whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from django.db import connection

from ..models import Measure

Kind = Measure.Kind
# What takes time.
TIMED = (Kind.FIRST_ANSWER, Kind.ANSWER, Kind.RESOLUTION)
# What belongs to no agent.
_NOBODYS = (Kind.OPENED, Kind.REOPENED)

_GROUPS = (
    "SELECT m.kind, m.inbox_id, coalesce(m.agent_id, 0), m.value, count(*),"
    " CAST({listed}(m.{seconds}) AS text) FROM tertulia_support_measure m"
    " WHERE m.inbox_id IN ({inboxes}) AND m.at >= %s AND m.at < %s GROUP BY 1, 2, 3, 4"
)
_LISTED = {"sqlite": "json_group_array", "postgresql": "json_agg"}
_read = msgspec.json.Decoder(list[int]).decode


class Scope(NamedTuple):
    """Whose measures: of these inboxes, at least one, and of one agent or of all (None), by
    primary key. `within`: time counts only as far as it was inside the hours."""

    inboxes: Sequence[int]
    agent: int | None
    within: bool


class Span(NamedTuple):
    """From `begin` on, before `end`."""

    begin: datetime
    end: datetime


class Part:
    """Some measures: how many of each kind, how often each rating, and of what takes time the
    seconds, as lists that are each in order."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.ratings: Counter[int] = Counter()
        self.seconds: defaultdict[str, list[array[int]]] = defaultdict(list)
        # Of the piece that is being read.
        self._loose: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, kind: str, value: int | None, n: int, seconds: list[int]) -> None:
        self.counts[kind] += n
        if value is not None:
            self.ratings[value] += n
        if seconds:
            self._loose[kind] += seconds

    def end_piece(self) -> None:
        for kind, loose in self._loose.items():
            self.seconds[kind].append(array("I", sorted(loose)))
        self._loose.clear()


class Counted:
    """The measures by piece; those of the whole by agent (0: of none) and by inbox, too."""

    def __init__(self, scope: Scope, moments: Sequence[datetime], whole: Span) -> None:
        self._scope = scope
        self._place = {moment: place for place, moment in enumerate(moments)}
        self._whole = self._pieces_of(whole)
        self._pieces = [Part() for _ in pairwise(moments)]
        self.agents: defaultdict[int, Part] = defaultdict(Part)
        self.inboxes: defaultdict[int, Part] = defaultdict(Part)
        # Of whom anything has been measured in the whole, whoever is asked for.
        self.people: set[int] = set()

    def _pieces_of(self, span: Span) -> range:
        """None where a country has left the day out."""
        return range(self._place[span.begin], self._place[span.end])

    def of(self, span: Span) -> list[Part]:
        """The pieces of one of the spans."""
        return [self._pieces[piece] for piece in self._pieces_of(span)]

    def add(self, piece: int, rows: Iterable[tuple[Any, ...]]) -> None:
        """The groups of a piece."""
        for kind, inbox, agent, value, n, listed in rows:
            if piece in self._whole:
                self.people.add(agent)
            if self._scope.agent not in (None, agent):
                continue
            parts = [self._pieces[piece]]
            if piece in self._whole:
                parts.append(self.inboxes[inbox])
                if kind not in _NOBODYS:
                    parts.append(self.agents[agent])
            seconds = _read(listed) if kind in TIMED else []
            for part in parts:
                part.add(kind, value, n, seconds)
        for part in (self._pieces[piece], *self.inboxes.values(), *self.agents.values()):
            part.end_piece()


def counted(scope: Scope, whole: Span, others: Iterable[Span]) -> Counted:
    """In the caller's snapshot. `others` may overlap each other and the whole."""
    moments = sorted({moment for span in (whole, *others) for moment in span})
    found = Counted(scope, moments, whole)
    text = _GROUPS.format(
        listed=_LISTED[connection.vendor],
        seconds="within" if scope.within else "seconds",
        inboxes=",".join(["%s"] * len(scope.inboxes)),
    )
    adapted = map(connection.ops.adapt_datetimefield_value, moments)
    with connection.cursor() as cursor:
        for piece, ends in enumerate(pairwise(adapted)):
            cursor.execute(text, [*scope.inboxes, *ends])
            found.add(piece, cursor.fetchall())
    return found


def percentile(lists: Sequence[Sequence[int]], percent: int) -> int:
    """Of all values of the lists, each of which is in order and has some."""
    place = (sum(map(len, lists)) * percent + 99) // 100
    if len(lists) == 1:
        return lists[0][place - 1]
    # The least value than which so many are no greater.
    most = max(one[-1] for one in lists)
    return bisect_left(
        range(most + 1), place, key=lambda value: sum(bisect_right(one, value) for one in lists)
    )
