"""Reactions and mentions: what people left at messages, and what was left for them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..models import Mention, Reaction, Room
from .base import ReadOnly
from .filters import PersonFilter, RoomFilter
from .log import OfTheLog
from .show import link, message_at, page_of, person_link, room_link, with_people


@admin.register(Reaction)
class ReactionAdmin(ReadOnly):
    """Who reacted with what; those taken back are kept, to answer a repeat."""

    list_display = ("emoji", "to", "by", "active")
    list_filter = (PersonFilter,)
    list_select_related = ("message__room", "participant")
    fields = ("emoji", "to", "by", "active", "seq")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reaction]:
        rows = super().get_queryset(request).select_related("message__room", "participant")
        return with_people(rows, "message__room")

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
    fields = ("whom", "message", "read")
    readonly_fields = fields

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
