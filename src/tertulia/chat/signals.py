"""What happens to users and must be heard by their sockets: also through the administration
and `save()`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from .changes import tell_change
from .log import AccessNews, News
from .models import AccessChange, Participant, Room, Token
from .people import participant_of
from .profile.names import free_name, lock_names
from .publish import publish

_BEFORE = "_tertulia_before"


def tell_signed_out(
    participant: Participant, kind: AccessChange.Kind = AccessChange.Kind.SIGNED_OUT
) -> None:
    """All sockets of this person end within two seconds, with or without the layer.

    With `SIGN_IN`, those of them whose session or token no longer holds.
    """
    tell_change(participant, kind)


def enrol_users(**kwargs: Any) -> None:
    """After migrating: users who were there before the chat can be found and written to."""
    missing = get_user_model()._default_manager.filter(participant__isnull=True)
    for user in missing.iterator():
        participant_of(user)


def _participant(user: Any) -> Participant | None:
    return Participant.objects.filter(user_id=user.pk).first() if user and user.pk else None


@receiver(user_logged_out)
def on_logged_out(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    participant = _participant(user)
    if participant is not None:
        tell_signed_out(participant)


@receiver(pre_save, sender=settings.AUTH_USER_MODEL)
def remember_user(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """What the user was before, to see afterwards what was changed."""
    if instance.pk and not raw:
        before = sender._default_manager.filter(pk=instance.pk).first()
        setattr(instance, _BEFORE, before)


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def on_user_saved(
    sender: Any, instance: Any, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if raw:
        return
    if created:
        participant_of(instance)
        return
    before = instance.__dict__.pop(_BEFORE, None)
    participant = _participant(instance)
    if before is None or participant is None:
        return
    if before.get_username() == participant.name != instance.get_username():
        with transaction.atomic():
            lock_names()
            participant.name = free_name(instance.get_username(), besides=participant)
            participant.save(update_fields=["name", "name_fold"])
            tell_change(participant, AccessChange.Kind.PROFILE)
    deactivated = before.is_active and not instance.is_active
    if deactivated or before.password != instance.password:
        tell_signed_out(participant)


@receiver(pre_delete, sender=settings.AUTH_USER_MODEL)
def on_user_deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    participant = _participant(instance)
    if participant is not None:
        tell_signed_out(participant)


@receiver(pre_save, sender=Room)
def remember_room(sender: Any, instance: Room, raw: bool = False, **kwargs: Any) -> None:
    """What kind the room was before."""
    if instance.pk and not raw:
        kind = Room.objects.filter(pk=instance.pk).values_list("kind", flat=True).first()
        setattr(instance, _BEFORE, kind)


@receiver(post_save, sender=Room)
def on_room_saved(sender: Any, instance: Room, **kwargs: Any) -> None:
    """Another kind lets other people read: the subscribers are checked again."""
    before = instance.__dict__.pop(_BEFORE, None)
    if before is not None and before != instance.kind:
        change = AccessChange.objects.create(kind=AccessChange.Kind.ROOM, room=instance)
        news = AccessNews(id=change.pk, kind=AccessChange.Kind.ROOM.value, room_id=instance.pk)
        transaction.on_commit(lambda: publish(News(access=[news])))


@receiver(post_delete, sender=Token)
def on_token_deleted(sender: Any, instance: Token, **kwargs: Any) -> None:
    participant = Participant.objects.filter(pk=instance.participant_id).first()
    if participant is not None:
        tell_signed_out(participant, AccessChange.Kind.SIGN_IN)
