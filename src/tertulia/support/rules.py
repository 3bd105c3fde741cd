"""What holds in the rooms of conversations: asked by the chat, see `chat/kinds.py`.

The visitor is a member of the first room. Whoever is an agent of the inbox is a moderator of both,
as long as he is one: there is no membership that could be forgotten.
"""

from __future__ import annotations

import time
from typing import Any

from django.db.models import Q

from tertulia.chat.access import MODERATORS
from tertulia.chat.kinds import Standing
from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Membership, Participant
from tertulia.chat.people import Speaker
from tertulia.chat.sql import RoomRow
from tertulia.chat.sql.pages import SeenRoom
from tertulia.protocol import commands as c
from tertulia.protocol.events import Person

from . import changes
from .models import Agent, Conversation, Inbox
from .search import index
from .state import state_of
from .visitors import good_until, signed_token, speaking, visitor_in_token

MODERATOR = Membership.Role.MODERATOR.value
_GRANTED = (
    f"SELECT '{MODERATOR}' FROM tertulia_support_conversation c"
    " JOIN tertulia_support_agent g ON g.inbox_id = c.inbox_id AND g.participant_id = {who}"
    " WHERE c.room_id = {room} OR c.notes_id = {room}"
)
_STANDINGS = (
    "WITH given (room, participant) AS (VALUES {rows})"
    " SELECT given.room, given.participant, m.role, m.left_seq,"
    f" ({_GRANTED.format(who='given.participant', room='given.room')})"
    " FROM given LEFT JOIN tertulia_chat_membership m"
    " ON m.room_id = given.room AND m.participant_id = given.participant"
)
# Pairs in one statement.
_CHUNK = 200


class ConversationRules:
    """Rules of rooms of kind `support`. Those that a host's code made have no conversation, and
    are closed rooms like any other."""

    granted_sql = _GRANTED.format(who="%s", room="r.id")

    def standings(self, connection: Any, pairs: list[tuple[int, int]]) -> list[Standing]:
        found: list[Standing] = []
        for start in range(0, len(pairs), _CHUNK):
            some = pairs[start : start + _CHUNK]
            rows = ",".join(["(%s, %s)"] * len(some))
            with connection.cursor() as cursor:
                values = [value for pair in some for value in pair]
                cursor.execute(_STANDINGS.format(rows=rows), values)
                found += [Standing(*row) for row in cursor.fetchall()]
        return found

    def readers(self, room_id: int) -> set[str]:
        agents = Agent.objects.filter(inbox__in=_of(room_id).values("inbox"))
        return set(agents.values_list("participant__public_id", flat=True))

    def named(self, slug_fold: str | None, people: list[int]) -> Any:
        """Agents are named in notes. What a visitor writes must not tell him who they are."""
        inboxes = Conversation.objects.filter(notes__slug_fold=slug_fold).values("inbox")
        agents = Agent.objects.filter(inbox__in=inboxes, participant__in=people)
        return agents.values_list("participant_id", flat=True)

    def keeps_people(self, room_id: int) -> bool:
        return _of(room_id).exists()

    def check_send(
        self, log: LogTransaction, room: RoomRow, speaker: Speaker, seen: int | None
    ) -> None:
        changes.check_seen(log, room, speaker, seen)

    def sent(self, log: LogTransaction, room: RoomRow, speaker: Speaker, seq: int) -> None:
        conversation = changes.find(_of(room.id))
        if conversation is None:
            return
        if conversation.room_id == room.id:
            changes.said(log, room, conversation, speaker, seq)
        changes.watch(log, room, conversation)

    def written(self, log: LogTransaction, room: RoomRow, seq: int, text: str | None) -> None:
        """What is found of it by `conversation.search`."""
        if text is None:
            index.erase(log.connection, room.id, seq)
        else:
            index.write(log.connection, room.id, seq, text)

    def marked(self, room_id: int, seq: int) -> bool | None:
        conversation = _of(room_id).first()
        if conversation is None:
            return None
        if conversation.room_id != room_id:
            # Nothing is counted in notes.
            return False
        mine = Conversation.objects.filter(pk=conversation.pk, read_seq__lt=seq)
        return bool(mine.update(read_seq=seq))

    def reader(self, room_id: int) -> Person:
        """Which agent looks on is none of the visitor's business: his inbox has read."""
        inbox = Inbox.objects.get(conversations__room=room_id)
        return Person(inbox.public_id, inbox.name, Participant.Kind.MEMBER.value, None)

    def told(self, room: SeenRoom, speaker: Speaker) -> dict[str, Any]:
        """The conversation's state; and for agents, how far any of them has read."""
        conversation = changes.find(_of(room.id))
        if conversation is None:
            return {}
        if room.role not in MODERATORS:
            return {"conversation": state_of(conversation, client=True)}
        read = conversation.read_seq if conversation.room_id == room.id else room.head
        return {"conversation": state_of(conversation), "read": read}

    def unseen(self, room: SeenRoom) -> bool:
        """Which agents look on is none of the visitor's business; in the notes they see it."""
        return room.role in MODERATORS and Conversation.objects.filter(room=room.id).exists()


def _of(room_id: int) -> Any:
    return Conversation.objects.filter(Q(room=room_id) | Q(notes=room_id))


class VisitorTokens:
    """How visitors say who they are, and all that they may ask for."""

    commands: frozenset[type] = frozenset(
        {
            *(c.Ping, c.RoomList, c.RoomSubscribe, c.RoomUnsubscribe, c.HistoryList),
            *(c.MessageSend, c.ReadMark, c.TypingStart, c.TypingStop),
            *(c.ConversationOpen, c.ConversationRate),
        }
    )

    def named_in(self, token: str) -> str | None:
        """The visitor, the generation, and when a token ends that only his site renews; or 0."""
        told = visitor_in_token(token)
        if told is None:
            return None
        return f"{told.visitor}.{told.generation}.{good_until(token) if told.signed else 0}"

    def speaking(self, names: list[str]) -> dict[str, str]:
        shown: dict[str, tuple[str, int]] = {}
        for name in names:
            visitor, generation, until = name.split(".")
            if until == "0" or int(until) > time.time():
                shown[name] = (visitor, int(generation))
        found = speaking(shown.values())
        return {name: told[0] for name, told in shown.items() if told in found}

    def renewed(self, token: str) -> str | None:
        told = visitor_in_token(token)
        return None if told is None or told.signed else signed_token(told)
