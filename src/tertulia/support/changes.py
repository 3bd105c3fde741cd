"""What happens to a conversation, in the transaction that holds its room.

Here are the only places that write a `Conversation` and append `conversation.changed`.
"""

from __future__ import annotations

from typing import Any

from tertulia.chat.encode import message_of, timestamp
from tertulia.chat.log import LogTransaction, Watched
from tertulia.chat.models import Message, Participant
from tertulia.chat.people import Speaker, person_of, speaker_of
from tertulia.chat.sql import RoomRow
from tertulia.chat.sql.pages import messages_at
from tertulia.protocol import events as ev
from tertulia.protocol.errors import Code, ProtocolError
from tertulia.protocol.limits import UNSEEN

from . import measures
from .mailing.arming import answered
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


def check_seen(log: LogTransaction, room: RoomRow, speaker: Speaker, seen: int | None) -> None:
    """`conflict` with what others have said behind `seen`. None: he does not want to know.

    The room is locked: of two who write at once, one sees what the other has said.
    """
    if seen is None or seen >= room.head:
        return
    log.flush()  # it may have been said in this transaction
    unseen = (
        Message.objects.filter(room_id=room.id, seq__gt=seen)
        .exclude(author_id=speaker.id)
        .order_by("-seq")
        .values_list("seq", flat=True)[:UNSEEN]
    )
    if seqs := list(unseen):
        raise ProtocolError(
            Code.CONFLICT,
            "Somebody else has written meanwhile.",
            messages=[message_of(row) for row in messages_at(log.connection, room.id, seqs)],
        )


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
    # Who greets a visitor that has not said anything yet does not answer him.
    if measures.answered(log, conversation, speaker):
        now["first_reply_at"] = log.at
    write(conversation, **now, **answered(log.at, seq))
    if conversation.agent_id is None and conversation.status != RESOLVED:
        _take(log, room, conversation, speaker)


def _take(log: LogTransaction, room: RoomRow, conversation: Conversation, speaker: Speaker) -> None:
    """Who answers what nobody has takes it, if he answers in the inbox in which it is by now."""
    from .assigning import answering

    his = answering().filter(inbox=conversation.inbox_id, participant=speaker.id)
    if (agent := his.select_related("participant").first()) is not None:
        assign(log, room, conversation, speaker, agent.participant)


def reopen(log: LogTransaction, room: RoomRow, conversation: Conversation, actor: Speaker) -> int:
    """It is to be answered again. That it was put away is known to the notes alone."""
    from .assigning import answers, assign_someone

    was = conversation.status
    if was == RESOLVED:
        measures.reopened(log, conversation)
    write(conversation, status=OPEN, snoozed_until=None, resolved_at=None)
    where = notes_of(log, conversation) if was == SNOOZED else room
    seq = append(log, where, conversation, actor, "reopened")
    write(conversation, status_seq=seq)
    agent = conversation.agent
    if agent is not None and not answers(conversation):
        # He has left since it was put away.
        assign(log, room, conversation, speaker_of(agent), None)
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
