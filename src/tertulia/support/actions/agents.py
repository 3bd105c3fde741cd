"""What agents do with a conversation."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import UNSET, UnsetType

from tertulia.chat.encode import now
from tertulia.chat.log import LogTransaction
from tertulia.chat.models import AccessChange, Participant
from tertulia.chat.people import Speaker
from tertulia.chat.sql import RoomRow
from tertulia.protocol.errors import conflict, invalid

from .. import changes, measures
from ..assigning import answering, assign_someone
from ..models import Conversation, Inbox
from .base import OnConversation

# How far ahead a conversation can be put away.
SNOOZE = timedelta(days=366)


class AssignConversation(OnConversation):
    """Give it to an agent of its inbox, or to nobody; to oneself, it is taken over.

    `instead_of`: whose it is to be now, if that is asked at all: of two who take it at once, the
    second is told.
    """

    def __init__(
        self,
        speaker: Speaker,
        slug: str,
        agent: str | None,
        instead_of: str | UnsetType | None = UNSET,
    ) -> None:
        super().__init__(speaker, slug)
        self.agent = agent
        self.instead_of = instead_of

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        agent = None if self.agent is None else self._agent(conversation, self.agent)
        if conversation.agent_id == (None if agent is None else agent.pk):
            return conversation.agent_seq
        now = conversation.agent
        if self.instead_of not in (UNSET, None if now is None else now.public_id):
            raise conflict("Somebody else has been given this conversation meanwhile.")
        return changes.assign(log, room, conversation, self.speaker, agent)

    def _agent(self, conversation: Conversation, public_id: str) -> Participant:
        agents = answering().filter(inbox=conversation.inbox_id, participant__public_id=public_id)
        found = agents.select_related("participant").first()
        if found is None:
            raise invalid("agent", "Nobody with this id answers in the conversation's inbox.")
        return found.participant


class TransferConversation(OnConversation):
    """Move it to another inbox. Its agent keeps it only if he answers there, too."""

    def __init__(self, speaker: Speaker, slug: str, inbox: str) -> None:
        super().__init__(speaker, slug)
        self.inbox = inbox

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        inbox = Inbox.objects.filter(public_id=self.inbox).first()
        if inbox is None:
            raise invalid("inbox", "There is no inbox with this id.")
        left = conversation.inbox
        if left.pk == inbox.pk:
            return conversation.inbox_seq
        notes = changes.notes_of(log, conversation)
        changes.write(conversation, inbox=inbox)
        agent = conversation.agent
        if agent is not None and not inbox.agents.filter(participant=agent).exists():
            changes.assign(log, room, conversation, self.speaker, None)
        seq = changes.append(log, notes, conversation, self.speaker, "transferred")
        changes.watch(log, notes, conversation, left)
        changes.write(conversation, inbox_seq=seq)
        # Whoever answers in the inbox that it has left reads on no longer, and writes no more.
        log.forget_standings((room.id, notes.id))
        for row in (room, notes):
            log.change_access(AccessChange.Kind.ROOM, None, row.id, row.slug)
        assign_someone(log, room, conversation)
        return seq


class SnoozeConversation(OnConversation):
    """Put it away until a time, or until its visitor writes."""

    def __init__(
        self, speaker: Speaker, slug: str, until: datetime, seen: int | None = None
    ) -> None:
        super().__init__(speaker, slug)
        self.seen = seen
        self.until = until.replace(microsecond=until.microsecond // 1000 * 1000)

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        if conversation.snoozed_until == self.until:
            return conversation.status_seq
        if not now() < self.until < now() + SNOOZE:
            raise invalid("until", "Name a time that is to come, within a year.")
        if conversation.status == changes.RESOLVED:
            raise conflict("The conversation is resolved: reopen it first.")
        changes.check_seen(log, room, self.speaker, self.seen)
        notes = changes.notes_of(log, conversation)
        changes.write(conversation, status=changes.SNOOZED, snoozed_until=self.until)
        seq = changes.append(log, notes, conversation, self.speaker, "snoozed")
        changes.write(conversation, status_seq=seq)
        return seq


class ResolveConversation(OnConversation):
    """The matter is settled; until the visitor writes again."""

    def __init__(self, speaker: Speaker, slug: str, seen: int | None = None) -> None:
        super().__init__(speaker, slug)
        self.seen = seen

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        if conversation.status == changes.RESOLVED:
            return conversation.status_seq
        changes.check_seen(log, room, self.speaker, self.seen)
        changes.write(
            conversation,
            status=changes.RESOLVED,
            resolved_at=log.at,
            snoozed_until=None,
            waiting_since=None,
        )
        measures.resolved(log, conversation, self.speaker)
        seq = changes.append(log, room, conversation, self.speaker, "resolved")
        changes.write(conversation, status_seq=seq)
        return seq


class ReopenConversation(OnConversation):
    """It is to be answered again, or no longer to be put away."""

    def act(self, log: LogTransaction, room: RoomRow, conversation: Conversation) -> int:
        if conversation.status == changes.OPEN:
            return conversation.status_seq
        return changes.reopen(log, room, conversation, self.speaker)
