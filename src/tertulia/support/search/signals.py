"""Who a visitor is, kept in step with what he is searched by: also where a site's own code, the
administration or a signed identity has changed it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connections
from django.db.models.signals import post_save
from django.dispatch import receiver

from tertulia.chat.models import Participant

from ..models import Conversation, Visitor
from .index import visitor_text, write_visitor


@receiver(post_save, sender=Conversation)
def on_conversation_saved(
    sender: Any, instance: Conversation, created: bool, using: str, raw: bool = False, **_: Any
) -> None:
    if created and not raw:
        client = instance.client
        write_visitor(connections[using], _text(client), conversation=instance.pk)


@receiver(post_save, sender=Visitor)
def on_visitor_saved(
    sender: Any,
    instance: Visitor,
    created: bool,
    using: str,
    update_fields: Collection[str] | None = None,
    raw: bool = False,
    **_: Any,
) -> None:
    """One who is new has no conversation yet."""
    told = update_fields is None or {"email", "external_id"}.intersection(update_fields)
    if told and not created and not raw:
        write_visitor(connections[using], _text(instance), client=instance.pk)


@receiver(post_save, sender=Participant)
def on_participant_saved(
    sender: Any,
    instance: Participant,
    created: bool,
    using: str,
    update_fields: Collection[str] | None = None,
    raw: bool = False,
    **_: Any,
) -> None:
    if instance.kind != Participant.Kind.VISITOR or created or raw:
        return
    if update_fields is None or "name" in update_fields:
        visitor = Visitor.objects.using(using).filter(participant=instance.pk).first()
        if visitor is not None:
            visitor.participant = instance
            write_visitor(connections[using], _text(visitor), client=visitor.pk)


def _text(visitor: Visitor) -> str:
    return visitor_text(visitor.participant.name, visitor.email, visitor.external_id)
