"""Conversations, inboxes and visitors as the protocol shows them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection

from tertulia.chat.encode import timestamp
from tertulia.chat.models import Membership
from tertulia.chat.people import person_of
from tertulia.chat.sql import dialect
from tertulia.protocol import events as ev

from .models import Conversation, Inbox

# Code points of the last message that a list shows.
SHOWN = 200

_LAST = (
    f"SELECT m.room_id, m.seq, m.sent_at, substr(m.text, 1, {SHOWN}),"
    " p.public_id, m.author_name, p.kind, p.avatar"
    " FROM tertulia_support_conversation c"
    " JOIN tertulia_chat_message m ON m.room_id = c.room_id AND m.seq = c.last_seq"
    " JOIN tertulia_chat_participant p ON p.id = m.author_id"
    " WHERE c.id IN ({marks})"
)
# What a state is made of, fetched with its row.
WITH = ("room", "notes", "inbox", "client__participant", "agent")


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamp(time)


def state_of(conversation: Conversation, *, client: bool = False) -> ev.Conversation:
    """One conversation as its agents see it, or its visitor."""
    return states_of([conversation], client=client)[0]


def states_of(found: Iterable[Conversation], *, client: bool = False) -> list[ev.Conversation]:
    """Several, fetched `WITH` what they need: two statements for all of them."""
    conversations = list(found)
    last = _last_messages([one.pk for one in conversations])
    rooms = [one.room_id for one in conversations]
    # Its only member is the visitor.
    members = Membership.objects.filter(room_id__in=rooms, left_seq__isnull=True)
    read = dict(members.values_list("room_id", "read_seq"))
    return [
        _state(one, last.get(one.room_id), read.get(one.room_id, 0), client=client)
        for one in conversations
    ]


def _state(
    one: Conversation, last: ev.LastMessage | None, client_read: int, *, client: bool
) -> ev.Conversation:
    return ev.Conversation(
        room=one.room.slug,
        notes=None if client else one.notes.slug,
        inbox=one.inbox.public_id,
        client=person_of(one.client.participant),
        agent=person_of(one.agent) if one.agent is not None else None,
        url=one.url,
        status=shown_status(one.status) if client else one.status,
        snoozed_until=None if client else _time(one.snoozed_until),
        waiting_since=_time(one.waiting_since),
        opened_at=timestamp(one.opened_at),
        resolved_at=_time(one.resolved_at),
        last=last,
        head=one.room.head,
        delivered_seq=max(one.delivered_seq, one.read_seq),
        read_seq=one.read_seq,
        client_read=client_read,
        rating=one.rating,
        rating_text=one.rating_text,
        mail=None if client else _mail(one, client_read),
    )


def _mail(one: Conversation, client_read: int) -> ev.Mail | None:
    """What he has not read is on its way; else what became of the last mail."""
    waits = one.answered_seq > max(client_read, one.mailed_seq)
    if waits and one.mail_at is not None and one.client.email:
        return ev.Mail("waiting", timestamp(one.mail_at), one.client.email, one.answered_seq)
    if one.mail_state_at is None:
        return None
    at = timestamp(one.mail_state_at)
    return ev.Mail(one.mail_state, at, one.mail_address, one.mailed_seq)


def shown_status(status: str) -> str:
    """To the visitor: that he was put away for a while is not his business."""
    return Conversation.Status.OPEN.value if status == Conversation.Status.SNOOZED else status


def _last_messages(ids: list[int]) -> dict[int, ev.LastMessage]:
    if not ids:
        return {}
    time_of = dialect(connection).time_of
    with connection.cursor() as cursor:
        cursor.execute(_LAST.format(marks=",".join(["%s"] * len(ids))), ids)
        return {
            room_id: ev.LastMessage(
                seq=seq, at=timestamp(time_of(at)), author=ev.Person(*person), text=text
            )
            for room_id, seq, at, text, *person in cursor.fetchall()
        }


def visitor_of(one: Conversation) -> ev.Visitor:
    """Who writes, as his agents see it."""
    client, person = one.client, person_of(one.client.participant)
    return ev.Visitor(
        *(person.id, person.name, person.kind, person.avatar),
        external_id=client.external_id,
        email=client.email,
        language=client.language,
        time_zone=client.time_zone,
        url=one.url,
        seen_at=timestamp(client.seen_at),
    )


def inbox_of(inbox: Inbox, counts: dict[str, Any], agents: list[ev.Agent]) -> ev.Inbox:
    """An inbox with what was counted of it."""
    names = ("unassigned", "mine", "all", "waiting")
    return ev.Inbox(
        id=inbox.public_id,
        name=inbox.name,
        counts={name: counts.get(name, 0) for name in names},
        agents=agents,
    )
