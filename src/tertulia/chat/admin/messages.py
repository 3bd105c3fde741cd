"""Everything that was said. Nothing here is written but by actions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..actions import DeleteMessage
from ..models import Mention, Message, Reaction, Room
from .acts import Act, Acts, Doing, permission
from .filters import AuthorFilter, DayFilter, RoomFilter
from .log import OfTheLog
from .show import (
    NOTHING,
    isolated,
    link,
    list_of,
    message_at,
    message_text,
    on_the_site,
    page_of,
    person_link,
)


def _take_away(doing: Doing, message: Message) -> None:
    doing.perform(DeleteMessage(doing.speaker, message.room.slug, message.seq))


@admin.register(Message)
class MessageAdmin(OfTheLog, Acts):
    """Everything that was said, newest first."""

    counter = "messages"
    list_display = ("place", "in_room", "by", "says", "sent_at", "changed")
    list_filter = (RoomFilter, DayFilter, AuthorFilter, "deleted")
    search_fields = ("text",)
    search_help_text = _(
        "Words in the newest 20,000 messages, or in those of the chosen room;"
        " or a permanent link, or room/seq."
    )
    fields = (
        "in_room",
        "permanent_link",
        "by",
        "author_name_then",
        "written",
        "deleted",
        "sent_at",
        "edited_at",
        "answered",
        "reactions_shown",
        "mentions_shown",
        "number",
        "seq",
        "version",
        "key",
    )
    readonly_fields = fields
    acts = (
        Act(
            name="delete_message",
            label=_("Delete the message"),
            do=_take_away,
            permission=permission(Message, "delete"),
            warning=_(
                "The text goes for good, here and with everybody who has the room open. The"
                " message keeps its place and number, and the log says who deleted it."
            ),
            fits=lambda message: not message.deleted,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("room", "author").defer("html")

    def with_words(self, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        for word in words[:10]:
            queryset = queryset.filter(text__icontains=word)
        return queryset

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.at)
        name = "tertulia_chat_message_at"
        return [path("at/<int:room_id>/<int:seq>/", view, name=name), *super().get_urls()]

    def at(self, request: HttpRequest, room_id: int, seq: int) -> HttpResponse:
        """To the page of the message with this seq."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if max(room_id, seq) >= 2**63:
            raise Http404
        message = Message.objects.only("pk").filter(room_id=room_id, seq=seq).first()
        if message is None:
            raise Http404
        return redirect(page_of(message))

    @admin.display(description=_("seq"))
    def place(self, message: Message) -> str:
        return f"#{message.seq}"

    @admin.display(description=_("author"))
    def by(self, message: Message) -> SafeString:
        return person_link(message.author)

    @admin.display(description=_("text"))
    def says(self, message: Message) -> SafeString:
        return message_text(message)

    @admin.display(description=_("changed"))
    def changed(self, message: Message) -> str:
        return gettext("edited") if message.edited_at and not message.deleted else ""

    @admin.display(description=_("text"))
    def written(self, message: Message) -> SafeString:
        """What was written, as text: the page never shows its HTML."""
        return message_text(message) if message.deleted else isolated(message.text)

    @admin.display(description=_("the author’s name then"))
    def author_name_then(self, message: Message) -> SafeString:
        return isolated(message.author_name)

    @admin.display(description=_("permanent link"))
    def permanent_link(self, message: Message) -> Any:
        address = on_the_site(message.room, message.seq)
        if address is None:
            return NOTHING
        shown = link(address, address)
        if message.room.kind == Room.Kind.PUBLIC:
            return shown
        return format_html("{} ({})", shown, gettext("opens for members of the room"))

    @admin.display(description=_("answers"))
    def answered(self, message: Message) -> Any:
        if message.reply_to is None:
            return NOTHING
        return message_at(message.room_id, message.reply_to)

    @admin.display(description=_("reactions"))
    def reactions_shown(self, message: Message) -> Any:
        counts = message.reactions.filter(active=True).values_list("emoji").annotate(n=Count("pk"))
        text = ", ".join(f"{emoji} {n}" for emoji, n in counts.order_by("-n", "emoji"))
        if not text:
            return NOTHING
        return link(list_of(Reaction, message__id__exact=message.pk), text)

    @admin.display(description=_("mentions"))
    def mentions_shown(self, message: Message) -> Any:
        rows = Mention.objects.filter(room_id=message.room_id, seq=message.seq)
        people = [mention.participant for mention in rows.select_related("participant")]
        shown = format_html_join(", ", "{}", ((person_link(person),) for person in people))
        return shown or NOTHING
