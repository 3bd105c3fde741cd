"""What visitors do: open a conversation, and say how well they were helped."""

from __future__ import annotations

import uuid
from typing import Any

from tertulia.chat.actions import Action
from tertulia.chat.actions.members import enter
from tertulia.chat.actions.rooms import insert_room
from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Room, RoomKey
from tertulia.chat.people import Speaker
from tertulia.chat.slugs import random_slug
from tertulia.chat.sql import RoomRow
from tertulia.protocol.errors import forbidden

from .. import changes, measures
from ..assigning import assign_someone
from ..models import Conversation, Visitor
from ..state import state_of
from .base import OnConversation

KIND = Room.Kind.SUPPORT.value


class OpenConversation(Action):
    """The visitor's newest conversation, made where there is none, or where he wants a `new` one
    and the newest is resolved. The key of one that was made gives the same again."""

    def __init__(self, speaker: Speaker, key: uuid.UUID, url: str, *, new: bool) -> None:
        super().__init__(speaker)
        self.key = key
        # What a browser would run or look up elsewhere is no page of a site.
        self.url = url if url.startswith(("https://", "http://")) else ""
        self.new = new

    def prepare(self) -> None:
        """One that is there already is locked like any other room."""
        newest = Conversation.objects.filter(client__participant=self.speaker.id).order_by("-id")
        self.slug = newest.values_list("room__slug", flat=True).first()

    def run(self, log: LogTransaction) -> dict[str, Any]:
        visitors = Visitor.objects.filter(participant=self.speaker.id)
        # Of two tabs that open at once, one finds what the other has made.
        visitor = visitors.select_for_update(no_key=True, of=("self",)).first()
        if visitor is None:
            raise forbidden("Only visitors of a site open conversations.")
        conversation = self._present(visitor)
        if conversation is None:
            conversation = self._made(log, visitor)
        else:
            self._follow(log, conversation)
        Visitor.objects.filter(pk=visitor.pk).update(seen_at=log.at)
        log.flush()
        return {
            "room": conversation.room.slug,
            "state": state_of(_fresh(conversation), client=True),
        }

    def _present(self, visitor: Visitor) -> Conversation | None:
        keys = RoomKey.objects.filter(participant=self.speaker.id, key=self.key)
        mine = Conversation.objects.filter(client=visitor)
        by_key = changes.find(mine.filter(room__in=keys.values("room")))
        if by_key is not None:
            return by_key
        newest = changes.find(mine.order_by("-id"))
        ended = newest is not None and newest.status == changes.RESOLVED
        return None if ended and self.new else newest

    def _follow(self, log: LogTransaction, conversation: Conversation) -> None:
        """The page that he is on now."""
        if not self.url or self.url == conversation.url:
            return
        if conversation.room_id not in log.rooms:
            log.lock({conversation.room_id})
        changes.write(conversation, url=self.url)

    def _made(self, log: LogTransaction, visitor: Visitor) -> Conversation:
        room, notes = (insert_room(slug=random_slug(), kind=KIND) for _ in range(2))
        log.lock({room.pk, notes.pk})
        conversation = Conversation.objects.create(
            room=room,
            notes=notes,
            inbox=visitor.inbox,
            client=visitor,
            url=self.url,
            opened_at=log.at,
            last_message_at=log.at,
        )
        RoomKey.objects.create(participant_id=self.speaker.id, key=self.key, room=room)
        self._begin(log, log.rooms[room.pk], conversation, visitor)
        return conversation

    def _begin(
        self, log: LogTransaction, row: RoomRow, conversation: Conversation, visitor: Visitor
    ) -> None:
        enter(log, row, visitor.participant, self.speaker)
        measures.opened(log, conversation)
        seq = changes.append(log, row, conversation, self.speaker, "opened")
        changes.write(conversation, status_seq=seq, agent_seq=seq, inbox_seq=seq)
        assign_someone(log, row, conversation)


def _fresh(conversation: Conversation) -> Conversation:
    """As it stands now, with the head of its room."""
    found = changes.find(Conversation.objects.filter(pk=conversation.pk))
    assert found is not None
    return found


class RateConversation(OnConversation):
    """How well he was helped, from 1 to 5; he may think again."""

    def __init__(self, speaker: Speaker, slug: str, rating: int, text: str) -> None:
        super().__init__(speaker, slug)
        self.rating = rating
        self.text = text.strip()

    def run(self, log: LogTransaction) -> dict[str, Any]:
        room, conversation = self.locked(log)
        if conversation.client.participant_id != self.speaker.id:
            raise forbidden("Only its visitor rates a conversation.")
        return self.done(log, self.act(log, room, conversation))

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        if (conversation.rating, conversation.rating_text) == (self.rating, self.text):
            return conversation.rating_seq
        changes.write(conversation, rating=self.rating, rating_text=self.text)
        measures.rated(log, conversation)
        seq = changes.append(log, room, conversation, self.speaker, "rated")
        changes.write(conversation, rating_seq=seq)
        return seq
