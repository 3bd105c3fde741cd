"""Changing a profile: written at once, heard by everybody's open pages within a second or two."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.urls import reverse

from ..changes import tell_change
from ..models import AccessChange, Participant
from . import pictures
from .names import check_free, lock_names


def set_profile(person: Participant, *, name: str, language: str, time_zone: str) -> None:
    """Write what a valid form holds. Raises `NameTaken`, and then nothing is written."""
    person.language, person.time_zone = language, time_zone
    written = ["language", "time_zone"]
    with transaction.atomic():
        # A name that stays is not written: it may have been changed elsewhere meanwhile.
        if name != person.name:
            lock_names()
            check_free(name, person)
            person.name = name
            written += ["name", "name_fold"]
            tell_change(person, AccessChange.Kind.PROFILE)
        person.save(update_fields=written)


def set_language(person: Participant, language: str) -> None:
    """The quick choice from the menu; blank: what the browser asks for."""
    Participant.objects.filter(pk=person.pk).update(language=language)


def set_picture(person: Participant, content: bytes | None) -> None:
    """Another portrait, or initials again. The old file is deleted once that is certain."""
    name = pictures.keep(content) if content is not None else ""
    try:
        with transaction.atomic():
            before = Participant.objects.select_for_update().get(pk=person.pk).picture
            person.picture = name
            person.avatar = _address(name) if name else None
            person.save(update_fields=["picture", "avatar"])
            tell_change(person, AccessChange.Kind.PROFILE)
            if before:
                transaction.on_commit(partial(pictures.discard, before), robust=True)
    except Exception:
        if name:
            pictures.discard(name)
        raise


def _address(name: str) -> str:
    """Where the picture is served: `…/-/picture/<32 hexadecimal digits>.webp`."""
    stem = name.rpartition("/")[2].removesuffix(".webp")
    return reverse("tertulia:picture", args=[stem])
