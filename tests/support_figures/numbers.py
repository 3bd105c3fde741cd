"""Conversations whose past is moved, measures put by hand, and a reader of the page."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

from tests.security.web import Visitor, sessions
from tests.support.browser import Answer
from tests.support_desk.desk import Desk

PAGE = "/support/-/inbox/figures/"
# The columns of all rows, in their order.
COLUMNS = (
    *("Opened", "Reopened", "Resolved"),
    *("First answers", "First answer, median (s)", "First answer, 9 of 10 (s)"),
    *("Answers", "Waiting, median (s)", "Waiting, 9 of 10 (s)"),
    *("Resolution, median (s)", "Resolution, 9 of 10 (s)"),
    *("Ratings", "Rating, mean"),
)
FIRST, WAITING, RESOLUTION = (
    (f"{name}, median (s)", f"{name}, 9 of 10 (s)")
    for name in ("First answer", "Waiting", "Resolution")
)

_PASS = """
from datetime import timedelta
from django.db.models import F
conversation = Conversation.objects.get(room__slug={room!r})
back = timedelta(seconds={seconds!r})
rooms = (conversation.room_id, conversation.notes_id)
Message.objects.filter(room__in=rooms).update(sent_at=F("sent_at") - back)
Event.objects.filter(room__in=rooms).update(at=F("at") - back)
conversation.measures.update(at=F("at") - back)
his = Conversation.objects.filter(pk=conversation.pk)
his.update(opened_at=F("opened_at") - back)
his.filter(waiting_since__isnull=False).update(waiting_since=F("waiting_since") - back)
"""
_MEASURED = """
import json
found = Measure.objects.filter(conversation__room__slug={room!r}).order_by("pk")
print(json.dumps([
    [one.kind, one.inbox.public_id, one.agent and one.agent.public_id, one.seconds, one.within,
     one.value]
    for one in found
]))
"""
_PUT = """
import json
from datetime import datetime
conversation = Conversation.objects.get(room__slug={room!r})
conversation.measures.all().delete()
people = {{one.public_id: one for one in Participant.objects.filter(public_id__in={people!r})}}
inboxes = {{one.public_id: one for one in Inbox.objects.all()}}
Measure.objects.bulk_create(
    Measure(
        kind=kind, conversation=conversation, at=datetime.fromisoformat(at),
        agent=people.get(agent), inbox=inboxes[where], seconds=seconds, within=within, value=value,
    )
    for kind, at, where, agent, seconds, within, value in json.loads({rows!r})
)
"""


class Measured(tuple[Any, ...]):
    """(kind, inbox, agent, seconds, within, value) of one measure."""

    kind = property(lambda self: self[0])
    inbox = property(lambda self: self[1])
    agent = property(lambda self: self[2])
    seconds = property(lambda self: self[3])
    within = property(lambda self: self[4])
    value = property(lambda self: self[5])


def passes(desk: Desk, room: str, **how: float) -> None:
    """So much time goes by in a conversation: all that has happened in it was so much earlier."""
    units = {"seconds": 1, "minutes": 60, "hours": 3_600}
    seconds = sum(units[unit] * n for unit, n in how.items())
    desk.shell(_PASS.format(room=room, seconds=seconds))


def measured(desk: Desk, room: str) -> list[Measured]:
    """The measures of a conversation, as they were written."""
    told = desk.shell(_MEASURED.format(room=room))
    return [Measured(one) for one in json.loads(told.strip().splitlines()[-1])]


def took(found: list[Measured], kind: str) -> list[int]:
    return [one.seconds for one in found if one.kind == kind]


def about(seconds: int, wanted: int) -> bool:
    """The test itself takes some time, too."""
    return wanted <= seconds < wanted + 60


def measure(
    kind: str,
    at: str,
    seconds: int | None = None,
    *,
    within: int | None = None,
    agent: str = "",
    value: int | None = None,
    inbox: str = "",
) -> tuple[Any, ...]:
    """One to be `put`. `inbox` empty: the desk's own."""
    inside = seconds if within is None else within
    return (kind, at, inbox, agent, seconds, inside, value)


def put(desk: Desk, room: str, *measures: tuple[Any, ...]) -> None:
    """In the place of what was measured of a conversation."""
    rows = [(*one[:2], one[2] or desk.inbox, *one[3:]) for one in measures]
    people = sorted({one[3] for one in rows if one[3]})
    desk.shell(_PUT.format(room=room, people=people, rows=json.dumps(rows)))


class Reader:
    """Somebody signed in, who looks at the figures."""

    def __init__(self, desk: Desk, role: str = "ana", session: str = "") -> None:
        server = desk.installation.here
        name = desk.people[role].name
        self._desk = desk
        self._session = session or sessions(server, {name: 1})[name][0]
        self._visitor = Visitor(server, self._session)
        desk.stack.callback(self._visitor.close)

    def window(self) -> Reader:
        """Another one of the same browser."""
        return Reader(self._desk, session=self._session)

    def open(self, path: str) -> Answer:
        return self._visitor.get(path)

    def ask(self, **query: str) -> Answer:
        return self.open(f"{PAGE}?{urlencode(query)}")

    def rows(self, rows: str = "days", **query: str) -> list[dict[str, str]]:
        """As the CSV has them; the first column of agents and inboxes is a name."""
        answer = self.ask(format="csv", rows=rows, **query)
        assert answer.status == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))

    def day(self, day: str, **query: str) -> dict[str, str]:
        """One day of a single inbox."""
        (row,) = self.rows(period="own", first=day, last=day, **query)
        return row
