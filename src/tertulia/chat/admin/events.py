"""The log itself, line by line."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..models import Event, Participant, Room
from .base import BoundedList
from .filters import WINDOW, ActorFilter, DayFilter, RoomFilter
from .log import OfTheLog
from .show import NOTHING, message_at, person_link


class EventList(BoundedList):
    """Reads the people whom the events of a page are about, in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        about = {row.subject for row in rows if row.kind.startswith("member.")}
        people = Participant.objects.in_bulk(about - {None})
        for row in rows:
            row.person = people.get(row.subject) if row.kind.startswith("member.") else None
        self.result_list = rows


@admin.register(Event)
class EventAdmin(OfTheLog):
    """Every line of every log, newest first."""

    counter = "head"
    list_display = ("place", "in_room", "kind", "by", "about", "at")
    list_filter = (RoomFilter, DayFilter, ActorFilter)
    search_fields = ("kind",)
    search_help_text = _(
        "A kind, like member.left, in the newest 20,000 events or in those of the chosen room;"
        " or a permanent link, or room/seq, for what happened to a message."
    )
    fields = ("in_room", "seq", "kind", "by", "about", "data", "at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return super().get_queryset(request).select_related("room", "actor")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EventList

    def at_place(self, queryset: QuerySet[Any], room: Room, seq: int) -> QuerySet[Any]:
        """This line, and those of the next `WINDOW` that say what became of the message."""
        about = Q(subject=seq) & ~Q(kind__startswith="member.")
        behind = queryset.filter(room=room, seq__range=(seq, seq + WINDOW))
        return behind.filter(Q(seq=seq) | about)

    def with_words(self, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        for word in words[:2]:
            queryset = queryset.filter(kind__icontains=word)
        return queryset

    @admin.display(description=_("seq"))
    def place(self, event: Event) -> str:
        return f"#{event.seq}"

    @admin.display(description=_("actor"))
    def by(self, event: Event) -> SafeString:
        return person_link(event.actor)

    @admin.display(description=_("subject"))
    def about(self, event: Any) -> Any:
        if event.subject is None:
            return NOTHING
        if not event.kind.startswith("member."):
            return message_at(event.room_id, event.subject)
        if not hasattr(event, "person"):
            event.person = Participant.objects.filter(pk=event.subject).first()
        return person_link(event.person) if event.person else NOTHING
