"""Automatic assignment: round robin among the agents who are there.

There is who is connected and says that he is available. Whoever has as many open conversations as
the inbox allows is left out; with nobody left the conversation stays in the queue, out of which it
is taken when somebody has a place.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Participant
from tertulia.chat.people import speaker_of, user_has
from tertulia.chat.sql import RoomRow

from . import changes
from .models import Agent, Conversation, Inbox

# Conversations that are taken out of the queue at once, or from agents who have gone.
QUEUED = 50


def answering() -> QuerySet[Agent]:
    """All agents but those whose account may not sign in, or has been deleted; bots have none."""
    bots = Q(participant__kind=Participant.Kind.BOT, participant__user__isnull=True)
    if user_has("is_active"):
        return Agent.objects.filter(bots | Q(participant__user__is_active=True))
    return Agent.objects.filter(bots | Q(participant__user__isnull=False))


def assign_someone(log: LogTransaction, room: RoomRow, conversation: Conversation) -> None:
    """Give an open conversation that is nobody's to whoever's turn it is, where that is done."""
    if conversation.agent_id is not None or conversation.status != changes.OPEN:
        return
    # Locked: two conversations at once must not both take an agent's last place.
    inboxes = Inbox.objects.filter(pk=conversation.inbox_id, automatic=True)
    inbox = inboxes.select_for_update(no_key=True).first()
    if inbox is None or (agent := _next_of(log, inbox)) is None:
        return
    Agent.objects.filter(pk=agent.pk).update(served_at=_next_turn(log, inbox))
    changes.assign(log, room, conversation, speaker_of(agent.participant), agent.participant)


def _next_of(log: LogTransaction, inbox: Inbox) -> Agent | None:
    """Of those who are there and have a place: who was served the longest ago."""
    there = answering().filter(inbox=inbox, available=True, here_until__gt=log.at)
    order = (F("served_at").asc(nulls_first=True), "pk")
    busy = open_of(inbox) if inbox.most is not None else {}
    # Whose row another transaction holds is left out: nobody waits for an agent's row, so no two
    # transactions can wait for each other there. The queue is looked at again in a moment.
    found = there.select_for_update(no_key=True, skip_locked=True, of=("self",))
    for agent in found.select_related("participant").order_by(*order):
        if inbox.most is None or busy.get(agent.participant_id, 0) < inbox.most:
            return agent
    return None


def _next_turn(log: LogTransaction, inbox: Inbox) -> datetime:
    """Later than that of any other: a transaction that assigns several does it all at one time."""
    last = inbox.agents.aggregate(last=Max("served_at"))["last"]
    return log.at if last is None else max(log.at, last + timedelta(microseconds=1))


def open_of(inbox: Inbox) -> dict[int, int]:
    """How many open conversations of the inbox each agent has, by primary key."""
    mine = Conversation.objects.filter(
        inbox=inbox, status=changes.OPEN, agent__isnull=False
    ).order_by()
    return dict(mine.values("agent").annotate(n=Count("pk")).values_list("agent", "n"))


def queued(inbox_ids: list[int]) -> list[str]:
    """Addresses of conversations that wait in these inboxes and for whom somebody has a place: the
    longest first."""
    found: list[str] = []
    for inbox in Inbox.objects.filter(pk__in=inbox_ids, automatic=True):
        waiting = Conversation.objects.filter(
            inbox=inbox, status=changes.OPEN, agent__isnull=True
        ).order_by("opened_at")
        places = _places(inbox)
        if places:
            found += waiting.values_list("room__slug", flat=True)[:places]
    return found


def _places(inbox: Inbox) -> int:
    """How many conversations the agents who are there could be given now; `QUEUED` at most."""
    there = answering().filter(inbox=inbox, available=True, here_until__gt=timezone.now())
    people = list(there.values_list("participant_id", flat=True))
    if not people or inbox.most is None:
        return QUEUED if people else 0
    busy = open_of(inbox)
    return min(QUEUED, sum(max(0, inbox.most - busy.get(one, 0)) for one in people))


def answers(conversation: Conversation) -> bool:
    """Whether its agent answers in its inbox."""
    agents = answering().filter(inbox=conversation.inbox_id, participant=conversation.agent_id)
    return agents.exists()


def abandoned() -> list[str]:
    """Addresses of open and snoozed conversations whose agent answers in their inbox no longer."""
    his = answering().filter(inbox=OuterRef("inbox"), participant=OuterRef("agent"))
    left = Conversation.objects.exclude(status=Conversation.Status.RESOLVED)
    left = left.filter(~Exists(his), agent__isnull=False)
    return list(left.order_by("pk").values_list("room__slug", flat=True)[:QUEUED])
