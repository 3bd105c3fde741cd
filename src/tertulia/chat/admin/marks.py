"""Reactions and mentions: what people left at messages, and what was left for them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..models import Mention, Reaction, Room
from ..slugs import fold
from .base import ReadOnly
from .filters import (
    FoundByPerson,
    PersonFilter,
    ReactionRoomFilter,
    ReactorFilter,
    RoomFilter,
    chosen_room,
)
from .log import OfTheLog
from .show import link, message_at, page_of, person_link, room_link, with_people


@admin.register(Reaction)
class ReactionAdmin(FoundByPerson, ReadOnly):
    """Who reacted with what; those taken back are kept, to answer a repeat."""

    list_display = ("emoji", "to", "by", "active")
    list_filter = (ReactionRoomFilter, ReactorFilter)
    many = True
    list_select_related = ("message__room", "participant")
    fields = ("emoji", "to", "by", "active", "seq")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reaction]:
        rows = super().get_queryset(request).select_related("message__room", "participant")
        return with_people(rows, "message__room")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Of one room in the order of its messages, by their index."""
        return ("-message__seq",) if chosen_room(request) is not None else ("-pk",)

    @admin.display(description=_("message"))
    def to(self, reaction: Reaction) -> SafeString:
        message = reaction.message
        return _with_room(message.room, link(page_of(message), f"#{message.seq}"))

    @admin.display(description=_("person"))
    def by(self, reaction: Reaction) -> SafeString:
        return person_link(reaction.participant)


@admin.register(Mention)
class MentionAdmin(OfTheLog):
    """Who was named where, and whether he has read it."""

    list_display = ("whom", "message", "read")
    list_display_links = ("read",)
    list_filter = (RoomFilter, PersonFilter)
    search_fields = ("participant__name",)
    search_help_text = _(
        "A part of the person’s name, in the newest 20,000 mentions, or in those of the newest"
        " 20,000 events of the chosen room; or a permanent link, or room/seq."
    )
    fields = ("whom", "message", "read")
    readonly_fields = fields

    def with_words(self, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        if not words:
            return queryset
        return queryset.filter(participant__name_fold__contains=fold(" ".join(words)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Mention]:
        return super().get_queryset(request).select_related("room", "participant")

    @admin.display(description=_("person"))
    def whom(self, mention: Mention) -> SafeString:
        return person_link(mention.participant)

    @admin.display(description=_("message"))
    def message(self, mention: Mention) -> SafeString:
        return _with_room(mention.room, message_at(mention.room_id, mention.seq))


def _with_room(room: Room, message: SafeString) -> SafeString:
    return format_html("{} · {}", room_link(room), message)
