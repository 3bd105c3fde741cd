"""What the actions of one conversation share: the room, locked, and who may act."""

from __future__ import annotations

from typing import Any

from tertulia.chat.access import MODERATORS, check_see
from tertulia.chat.actions import Action
from tertulia.chat.log import LogTransaction
from tertulia.chat.people import Speaker
from tertulia.chat.sql import RoomRow
from tertulia.protocol.errors import forbidden, not_found

from .. import changes
from ..models import Conversation


class OnConversation(Action):
    """An act of an agent on one conversation, which `act` does behind the check."""

    slug: str

    def __init__(self, speaker: Speaker, slug: str) -> None:
        super().__init__(speaker)
        self.slug = slug

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room, conversation = self.of_mine(log)
        return self.done(log, self.act(log, room, conversation))

    def of_mine(self, log: LogTransaction) -> tuple[RoomRow, Conversation]:
        """`locked`; `forbidden` to who does not answer in its inbox."""
        room, conversation = self.locked(log)
        if log.role(room.id, self.speaker.id) not in MODERATORS:
            raise forbidden("Only agents of its inbox may do this with a conversation.")
        return room, conversation

    def locked(self, log: LogTransaction) -> tuple[RoomRow, Conversation]:
        """`not_found` where he may not see it, and for a room that is no conversation."""
        room = log.room(self.slug)
        check_see(room, log.role(room.id, self.speaker.id), self.speaker)
        conversation = changes.find(Conversation.objects.filter(room=room.id))
        if conversation is None:
            raise not_found()
        return room, conversation

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        """Do it; the seq of the event that made it so, now or before."""
        raise NotImplementedError

    def done(self, log: LogTransaction, seq: int) -> dict[str, Any]:
        """Write what was appended, and the command's result."""
        log.flush()
        return {"event": seq}
