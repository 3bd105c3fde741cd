"""The administration. The log is read-only: nothing but an action may append to it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Event, Membership, Message, Participant, Room, Token


class ReadOnly(admin.ModelAdmin):
    """Can be looked at, not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Participant)
class ParticipantAdmin(ReadOnly):
    list_display = ("name", "kind", "public_id", "created_at")
    list_filter = ("kind",)
    search_fields = ("name", "public_id")


@admin.register(Room)
class RoomAdmin(ReadOnly):
    list_display = ("slug", "name", "kind", "messages", "archived", "created_at")
    list_filter = ("kind", "archived")
    search_fields = ("slug", "name")


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("participant", "room", "role", "joined_seq", "left_seq")
    list_select_related = ("participant", "room")


@admin.register(Message)
class MessageAdmin(ReadOnly):
    list_display = ("room", "seq", "author_name", "text", "sent_at", "deleted")
    list_select_related = ("room",)
    search_fields = ("text", "author_name")


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("room", "seq", "kind", "actor", "subject", "at")
    list_select_related = ("room", "actor")


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """A token can be taken away, which ends the sockets that came with it."""

    list_display = ("participant", "created_at")
    list_select_related = ("participant",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
