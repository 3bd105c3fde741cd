"""What happens to a conversation, in the transaction that holds its room.

Here are the only places that write a `Conversation` and append `conversation.changed`.
"""

from __future__ import annotations

from typing import Any

from tertulia.chat.encode import timestamp
from tertulia.chat.log import LogTransaction, Watched
from tertulia.chat.models import Participant
from tertulia.chat.people import Speaker, person_of
from tertulia.chat.sql import RoomRow
from tertulia.protocol import events as ev

from .models import Conversation, Inbox
from .state import WITH, shown_status

OPEN = Conversation.Status.OPEN
SNOOZED = Conversation.Status.SNOOZED
RESOLVED = Conversation.Status.RESOLVED


def find(conversations: Any) -> Conversation | None:
    """The first of them, with all that its state is made of."""
    found: Conversation | None = conversations.select_related(*WITH).first()
    return found


def write(conversation: Conversation, **fields: Any) -> None:
    """Change these fields, here and in the database."""
    for name, value in fields.items():
        setattr(conversation, name, value)
    Conversation.objects.filter(pk=conversation.pk).update(**fields)


def watch(log: LogTransaction, room: RoomRow, conversation: Conversation, *besides: Inbox) -> None:
    """Have the agents of its inbox told; and those of an inbox that it has left."""
    locked = log.rooms.get(conversation.room_id)
    log.watch(
        room,
        Watched(
            [(inbox.pk, inbox.public_id) for inbox in (conversation.inbox, *besides)],
            *(conversation.room_id, conversation.room.slug),
            locked.head if locked is not None else conversation.room.head,
        ),
    )


def append(
    log: LogTransaction, room: RoomRow, conversation: Conversation, actor: Speaker, change: str
) -> int:
    """Append `conversation.changed`, as the conversation is now; its seq.

    In the conversation's own room it says only what the visitor may know.
    """
    seq = log.next_seq(room)
    agent, noted = conversation.agent, room.id == conversation.notes_id
    until = conversation.snoozed_until
    data: dict[str, Any] = {
        "change": change,
        "status": conversation.status if noted else shown_status(conversation.status),
        "inbox": conversation.inbox.public_id,
        "snoozed_until": timestamp(until) if noted and until is not None else None,
        "rating": conversation.rating,
    }
    event = ev.ConversationChanged(
        room=room.slug,
        seq=seq,
        at=log.stamp,
        actor=actor.person,
        agent=None if agent is None else person_of(agent),
        **data,
    )
    log.append(room, event, actor, subject=None if agent is None else agent.pk, data=data)
    watch(log, room, conversation)
    return seq


def notes_of(log: LogTransaction, conversation: Conversation) -> RoomRow:
    """The room of its notes, locked."""
    if conversation.notes_id not in log.rooms:
        log.lock({conversation.notes_id})
    return log.rooms[conversation.notes_id]


def said(
    log: LogTransaction, room: RoomRow, conversation: Conversation, speaker: Speaker, seq: int
) -> None:
    """Somebody has said something to the other."""
    now: dict[str, Any] = {"last_message_at": log.at, "last_seq": seq}
    if speaker.id == conversation.client.participant_id:
        now["waiting_since"] = conversation.waiting_since or log.at
        write(conversation, **now)
        if conversation.status != OPEN:
            reopen(log, room, conversation, speaker)
        return
    now |= {"waiting_since": None, "read_seq": max(conversation.read_seq, seq)}
    if conversation.first_reply_at is None:
        now["first_reply_at"] = log.at
    write(conversation, **now)


def reopen(log: LogTransaction, room: RoomRow, conversation: Conversation, actor: Speaker) -> int:
    """It is to be answered again. That it was put away is known to the notes alone."""
    from .assigning import assign_someone

    was = conversation.status
    write(conversation, status=OPEN, snoozed_until=None, resolved_at=None)
    where = notes_of(log, conversation) if was == SNOOZED else room
    seq = append(log, where, conversation, actor, "reopened")
    write(conversation, status_seq=seq)
    assign_someone(log, room, conversation)
    return seq


def assign(
    log: LogTransaction,
    room: RoomRow,
    conversation: Conversation,
    actor: Speaker,
    agent: Participant | None,
) -> int:
    """It is this agent's, or nobody's. The caller has checked."""
    write(conversation, agent=agent)
    seq = append(log, room, conversation, actor, "assigned")
    write(conversation, agent_seq=seq)
    return seq
