"""Automatic assignment: round robin among the agents who are there.

There is who is connected and says that he is available. Whoever has as many open conversations as
the inbox allows is left out; with nobody left the conversation stays in the queue, out of which it
is taken when somebody has a place.
"""

from __future__ import annotations

from django.db.models import Count, F

from tertulia.chat.log import LogTransaction
from tertulia.chat.people import speaker_of
from tertulia.chat.sql import RoomRow

from . import changes
from .models import Agent, Conversation, Inbox

# Conversations that are taken out of the queue at once.
QUEUED = 50


def assign_someone(log: LogTransaction, room: RoomRow, conversation: Conversation) -> None:
    """Give an open conversation that is nobody's to whoever's turn it is, where that is done."""
    if conversation.agent_id is not None or conversation.status != changes.OPEN:
        return
    # Locked: two conversations at once must not both take an agent's last place.
    inboxes = Inbox.objects.filter(pk=conversation.inbox_id, automatic=True)
    inbox = inboxes.select_for_update(no_key=True).first()
    agent = None if inbox is None else _next_of(log, inbox)
    if agent is None:
        return
    Agent.objects.filter(pk=agent.pk).update(served_at=log.at)
    changes.assign(log, room, conversation, speaker_of(agent.participant), agent.participant)


def _next_of(log: LogTransaction, inbox: Inbox) -> Agent | None:
    """Of those who are there and have a place: who was served the longest ago."""
    there = inbox.agents.filter(available=True, here_until__gt=log.at)
    order = (F("served_at").asc(nulls_first=True), "pk")
    busy = open_of(inbox) if inbox.most is not None else {}
    for agent in there.select_related("participant").order_by(*order):
        if inbox.most is None or busy.get(agent.participant_id, 0) < inbox.most:
            return agent
    return None


def open_of(inbox: Inbox) -> dict[int, int]:
    """How many open conversations of the inbox each agent has, by primary key."""
    mine = Conversation.objects.filter(
        inbox=inbox, status=changes.OPEN, agent__isnull=False
    ).order_by()
    return dict(mine.values("agent").annotate(n=Count("pk")).values_list("agent", "n"))


def queued(inbox_ids: list[int]) -> list[str]:
    """Addresses of conversations that wait in these inboxes for somebody to have a place: the
    longest first."""
    waiting = Conversation.objects.filter(
        inbox__in=inbox_ids, inbox__automatic=True, status=changes.OPEN, agent__isnull=True
    )
    return list(waiting.order_by("opened_at").values_list("room__slug", flat=True)[:QUEUED])
