"""What the processes tell each other by the database, and the name of this history."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..models import AccessChange, Installation
from .base import ReadOnly
from .filters import FoundByPerson, PersonFilter, RoomFilter
from .show import NOTHING, person_link, room_link, with_people


@admin.register(AccessChange)
class AccessChangeAdmin(FoundByPerson, ReadOnly):
    """Who entered, left or was signed out in the last day; older rows are pruned."""

    list_display = ("at", "kind", "whom", "in_room")
    list_filter = (RoomFilter, PersonFilter, "kind")
    many = True
    fields = ("at", "kind", "whom", "in_room")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessChange]:
        rows = super().get_queryset(request).select_related("participant", "room")
        return with_people(rows, "room")

    @admin.display(description=_("person"))
    def whom(self, change: AccessChange) -> Any:
        return person_link(change.participant) if change.participant else NOTHING

    @admin.display(description=_("room"))
    def in_room(self, change: AccessChange) -> Any:
        return room_link(change.room) if change.room else NOTHING


@admin.register(Installation)
class InstallationAdmin(ReadOnly):
    """The epoch; only restoring a backup changes it."""

    list_display = ("epoch",)
    fields = ("epoch",)
    readonly_fields = fields
