"""Reacting to a message, and taking it back."""

from __future__ import annotations

from typing import Any

from tertulia.protocol import events as ev
from tertulia.protocol.errors import conflict

from .. import sql
from ..access import check_member, check_open
from ..encode import timestamp
from ..log import LogTransaction
from ..models import Message, Reaction
from ..people import Speaker
from .base import Action
from .messages import find_message


class _React(Action):
    """What adding and taking back have in common."""

    active: bool
    event: type[ev.ReactionAdded] | type[ev.ReactionRemoved]

    def __init__(self, speaker: Speaker, slug: str, seq: int, emoji: str) -> None:
        super().__init__(speaker)
        self.slug = slug
        self.seq = seq
        self.emoji = emoji

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room = log.room(self.slug or "")
        check_member(room, log.role(room.id, self.speaker.id), "react")
        message = find_message(room, self.seq)
        reaction = Reaction.objects.filter(
            message=message, participant_id=self.speaker.id, emoji=self.emoji
        ).first()
        if reaction is None and not self.active:
            raise conflict("You have not reacted with this.")
        if reaction is not None and reaction.active == self.active:
            return {"event": reaction.seq}
        check_open(room, "react")
        if message.deleted:
            raise conflict("The message was deleted.")
        seq = log.next_seq(room)
        Reaction.objects.update_or_create(
            message=message,
            participant_id=self.speaker.id,
            emoji=self.emoji,
            defaults={"active": self.active, "seq": seq},
        )
        Message.objects.filter(pk=message.pk).update(version=seq)
        return self._tell(log, room, message, seq)

    def _tell(
        self, log: LogTransaction, room: sql.RoomRow, message: Message, seq: int
    ) -> dict[str, Any]:
        count = Reaction.objects.filter(message=message, emoji=self.emoji, active=True).count()
        event = self.event(
            room=room.slug,
            seq=seq,
            at=timestamp(log.at),
            actor=self.speaker.person,
            target=message.seq,
            emoji=self.emoji,
            count=count,
        )
        data = {"emoji": self.emoji, "count": count}
        log.append(room, event, self.speaker, subject=message.seq, data=data)
        log.flush()
        return {"event": seq}


class AddReaction(_React):
    """React with an emoji."""

    active = True
    event = ev.ReactionAdded


class RemoveReaction(_React):
    """Take one's own reaction back."""

    active = False
    event = ev.ReactionRemoved
