"""The administration of what is kept."""

from django.contrib import admin

from .models import Message, Room


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    """Who said what, and when."""

    list_display = ("sentBy", "body", "createdAt", "created_By")
    list_select_related = ("created_By",)
    search_fields = ("body", "sentBy")
    date_hierarchy = "createdAt"


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin):
    """Which client talks with which agent, and where."""

    list_display = ("client", "agent", "url", "createdAt")
    list_select_related = ("agent",)
    list_filter = ("agent",)
    search_fields = ("client", "url")
    # A list of all messages to choose from would have every message of every room.
    raw_id_fields = ("messages",)
