"""What the desk does by itself: who is there, who is next, and what is to be woken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from tertulia.chat.actions import Action
from tertulia.chat.log import LogTransaction
from tertulia.chat.models import Event
from tertulia.chat.people import Speaker, speaker_of
from tertulia.chat.sql import RoomRow
from tertulia.protocol.errors import not_found

from .. import changes
from ..assigning import answers, assign_someone
from ..models import Agent, Conversation

# Seconds for which an agent is believed to be connected, and after which that is renewed.
HERE = 30
RENEW = 10


class SetAvailable(Action):
    """Whether conversations are to be assigned to me automatically."""

    def __init__(self, speaker: Speaker, inbox: str, *, available: bool) -> None:
        super().__init__(speaker)
        self.inbox = inbox
        self.available = available

    def run(self, log: LogTransaction) -> dict[str, Any]:
        mine = Agent.objects.filter(participant=self.speaker.id, inbox__public_id=self.inbox)
        until = log.at + timedelta(seconds=HERE)
        if not mine.update(available=self.available, here_until=until):
            raise not_found("There is no such inbox, or you do not answer in it.")
        return {"available": self.available}


class _ByItself(Action):
    """Nobody speaks; in whose name it is done is found in the transaction."""

    def __init__(self, slug: str | None = None) -> None:
        super().__init__(speaker=None)  # type: ignore[arg-type]
        self.slug = slug

    def found(self, log: LogTransaction) -> tuple[RoomRow, Conversation] | None:
        """The conversation, locked, if it is there."""
        room = log.room(self.slug or "")
        conversation = changes.find(Conversation.objects.filter(room=room.id))
        return None if conversation is None else (room, conversation)


class RenewHere(_ByItself):
    """These agents, by primary key, are connected to this process; those have just gone."""

    def __init__(self, here: list[int], gone: list[int]) -> None:
        super().__init__()
        self.here = here
        self.gone = gone

    def run(self, log: LogTransaction) -> None:
        until = log.at + timedelta(seconds=HERE)
        self._free(self.here).update(here_until=until)
        # Connected to another process they are renewed there, before this is over.
        soon = log.at + timedelta(seconds=RENEW + 2)
        self._free(self.gone).filter(here_until__gt=soon).update(here_until=soon)

    def _free(self, pks: list[int]) -> QuerySet[Agent]:
        """Those whose row nobody holds, who is assigning them something: their turn comes again
        before anybody believes them gone."""
        agents = Agent.objects.filter(pk__in=pks)
        held = agents.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
        return Agent.objects.filter(pk__in=list(held))


class AssignQueued(_ByItself):
    """A conversation that waits is taken out of the queue, if somebody has a place."""

    def run(self, log: LogTransaction) -> None:
        found = self.found(log)
        if found is not None:
            assign_someone(log, *found)
            log.flush()


class WakeConversation(_ByItself):
    """Its time has come. Done in the name of whoever put it away."""

    def run(self, log: LogTransaction) -> None:
        found = self.found(log)
        if found is None:
            return
        room, conversation = found
        until = conversation.snoozed_until
        if conversation.status != changes.SNOOZED or until is None or until > log.at:
            return
        put_away = Event.objects.select_related("actor").get(
            room=conversation.notes_id, seq=conversation.status_seq
        )
        changes.reopen(log, room, conversation, speaker_of(put_away.actor))
        log.flush()


class UnassignConversation(_ByItself):
    """Its agent answers in the inbox no longer."""

    def run(self, log: LogTransaction) -> None:
        found = self.found(log)
        if found is None:
            return
        room, conversation = found
        agent = conversation.agent
        if agent is None or answers(conversation):
            return
        changes.assign(log, room, conversation, speaker_of(agent), None)
        assign_someone(log, room, conversation)
        log.flush()
