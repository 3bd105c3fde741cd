"""What the figures are made of, written in the transaction that makes it so.

Called where a `Conversation` is changed, under the lock of its room; what each kind means is said
at `Measure.Kind`. A transaction that is rolled back, or a command that comes twice, leaves nothing.
"""

from __future__ import annotations

from datetime import datetime

from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Message
from tertulia.chat.people import Speaker

from .hours import Hours, time_within
from .models import Conversation, Measure

Kind = Measure.Kind


def opened(log: LogTransaction, conversation: Conversation) -> None:
    """A visitor has begun it."""
    _measure(log, conversation, Kind.OPENED).save()


def reopened(log: LogTransaction, conversation: Conversation) -> None:
    """It was resolved, and is open again."""
    _measure(log, conversation, Kind.REOPENED).save()


def answered(log: LogTransaction, conversation: Conversation, agent: Speaker) -> bool:
    """An agent has written to the visitor: before the conversation says so itself.

    Whether it is his first message after one of the visitor's. It is an answer, and may be the
    first, only where the visitor waits for one: not where the conversation was resolved without.
    """
    asked = _asked_at(log, conversation) if conversation.first_reply_at is None else None
    if (waiting := conversation.waiting_since) is not None:
        taken = ((Kind.FIRST_ANSWER, asked), (Kind.ANSWER, waiting))
        Measure.objects.bulk_create(
            _measure(log, conversation, kind, agent.id, since)
            for kind, since in taken
            if since is not None
        )
    return asked is not None


def _asked_at(log: LogTransaction, conversation: Conversation) -> datetime | None:
    """When the visitor wrote first; None where he has not."""
    log.flush()  # it may have been in this transaction
    his = Message.objects.filter(
        room=conversation.room_id, author=conversation.client.participant_id
    )
    return his.order_by("seq").values_list("sent_at", flat=True).first()


def resolved(log: LogTransaction, conversation: Conversation, agent: Speaker) -> None:
    """The matter is settled. Counted from when it was last opened."""
    begun = Measure.objects.filter(
        conversation=conversation.pk, kind__in=(Kind.OPENED, Kind.REOPENED)
    )
    since = begun.order_by("-at", "-pk").values_list("at", flat=True).first()
    since = since or conversation.opened_at
    _measure(log, conversation, Kind.RESOLUTION, agent.id, since).save()


def rated(log: LogTransaction, conversation: Conversation) -> None:
    """The visitor has said how well he was helped: in the place of what he said before."""
    his = Measure.objects.filter(conversation=conversation.pk)
    his.filter(kind=Kind.RATING).delete()
    agent = conversation.agent_id
    if agent is None:
        answers = his.filter(kind=Kind.ANSWER).order_by("-at", "-pk")
        agent = answers.values_list("agent", flat=True).first()
    rating = _measure(log, conversation, Kind.RATING, agent)
    rating.value = conversation.rating
    rating.save()


def _measure(
    log: LogTransaction,
    conversation: Conversation,
    kind: Measure.Kind,
    agent: int | None = None,
    since: datetime | None = None,
) -> Measure:
    made = Measure(
        kind=kind,
        inbox_id=conversation.inbox_id,
        conversation_id=conversation.pk,
        agent_id=agent,
        at=log.at,
    )
    if since is not None:
        made.seconds, made.within = taken(conversation.inbox.hours, since, log.at)
    return made


def taken(hours: Hours, since: datetime, until: datetime) -> tuple[int, int]:
    """Whole seconds by the clock, and within the hours. Clocks of two processes may differ a
    little: nothing takes less than no time."""
    inside = time_within(hours, since, until)
    return max(0, int((until - since).total_seconds())), int(inside.total_seconds())
