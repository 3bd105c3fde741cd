"""Who becomes an agent of an inbox, and who is one no longer: heard by his open sockets, in every
process, also with the layer away."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver

from tertulia.chat.changes import tell_change
from tertulia.chat.models import AccessChange, Participant
from tertulia.chat.perform import perform
from tertulia.protocol.errors import ProtocolError

from .actions import UnassignConversation
from .models import Agent, Conversation

logger = logging.getLogger(__name__)


@receiver(pre_save, sender=Agent)
def before_agent_saved(sender: Any, instance: Agent, raw: bool = False, **kwargs: Any) -> None:
    """Who stood there before, if the row becomes somebody else's or another inbox's."""
    was = None if raw else Agent.objects.filter(pk=instance.pk).first()
    now = (instance.inbox_id, instance.participant_id)
    same = was is None or (was.inbox_id, was.participant_id) == now
    instance.instead_of = None if same else was  # type: ignore[attr-defined]


@receiver(post_save, sender=Agent)
def on_agent_saved(sender: Any, instance: Agent, raw: bool = False, **kwargs: Any) -> None:
    if raw:
        return
    tell_change(instance.participant, AccessChange.Kind.ROOM)
    if (was := instance.instead_of) is not None:  # type: ignore[attr-defined]
        tell_change(was.participant, AccessChange.Kind.ROOM)
        transaction.on_commit(partial(_unassign, was.inbox_id, was.participant_id))


@receiver(post_delete, sender=Agent)
def on_agent_deleted(sender: Any, instance: Agent, **kwargs: Any) -> None:
    """What was his is nobody's, so that it is in the queue again."""
    participant = Participant.objects.filter(pk=instance.participant_id).first()
    if participant is None or _goes_himself(kwargs.get("origin")):
        return
    tell_change(participant, AccessChange.Kind.ROOM)
    transaction.on_commit(partial(_unassign, instance.inbox_id, participant.pk))


def _goes_himself(origin: Any) -> bool:
    """Whether the person is being deleted, and with him what refers to him."""
    return isinstance(origin, Participant) or getattr(origin, "model", None) is Participant


def _unassign(inbox_id: int, participant_id: int) -> None:
    """Those that this does not reach are found by each process's desk within minutes."""
    his = Conversation.objects.filter(inbox=inbox_id, agent=participant_id).exclude(
        status=Conversation.Status.RESOLVED
    )
    for slug in his.values_list("room__slug", flat=True):
        try:
            perform(UnassignConversation(slug))
        except ProtocolError as error:
            logger.warning("A conversation could not be taken from who has left: %s", error.detail)
