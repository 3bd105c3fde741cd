"""Rooms: what they are called, and the archive."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef as Outer
from django.db.models import Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from msgspec import UNSET

from ..actions import UpdateRoom
from ..models import Event, Membership, Message, Room, RoomInvitation
from ..slugs import fold, fold_slug
from .acts import Act, Acts, Doing, doing, permission
from .base import ReadOnly, count_of
from .filters import slug_of
from .show import NOTHING, isolated, link, list_of, moment, on_the_site, room_name, with_people

_PRESENT = Membership.objects.filter(left_seq__isnull=True)


def _archive(doing: Doing, room: Room, *, archived: bool) -> None:
    doing.perform(UpdateRoom(doing.speaker, room.slug, archived=archived))


@admin.register(Room)
class RoomAdmin(Acts, ReadOnly):
    """Name, topic and the archive can be changed; a room is never deleted."""

    list_display = (
        "shown",
        "on_site",
        "kind",
        "members",
        "said",
        "last_message",
        "state",
        "made",
    )
    list_filter = ("kind", "archived")
    search_fields = ("name",)
    search_help_text = _("A part of the name or of the address, or a link to the room.")
    sortable_by = ("shown", "said", "made")
    readonly_fields = (
        "kind",
        "slug",
        "on_site",
        "members",
        "said",
        "events",
        "links_into",
        "last_message",
        "made",
    )
    fields = ("name", "topic", "archived", *readonly_fields)
    acts = (
        Act(
            name="archive",
            label=_("Archive"),
            do=partial(_archive, archived=True),
            permission=permission(Room, "change"),
            fits=lambda room: not room.archived,
        ),
        Act(
            name="bring_back",
            label=_("Bring back from the archive"),
            do=partial(_archive, archived=False),
            permission=permission(Room, "change"),
            fits=lambda room: room.archived,
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        last = Message.objects.filter(room=Outer("pk")).order_by("-seq").values("sent_at")[:1]
        rooms = super().get_queryset(request)
        return with_people(rooms).annotate(
            present=count_of(_PRESENT.filter(room=Outer("pk")), "room"), last_at=Subquery(last)
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Room], search_term: str
    ) -> tuple[QuerySet[Room], bool]:
        term = search_term.replace("\0", "").strip()
        if request.GET.get("field_name") == "room":
            # Asked for by a form: nobody is added to a direct room.
            queryset = queryset.exclude(kind=Room.Kind.DIRECT)
        if not term:
            return queryset, False
        slug = fold_slug(slug_of(term))
        fits = Q(name__icontains=term)
        if slug:
            fits |= Q(slug_fold__contains=slug) | Q(
                slug_fold__contains="-".join(fold(term).split())
            )
        return queryset.filter(fits), False

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        """What was changed in the form, by the action; the row itself is not saved."""
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        under_way = doing(request, permission(Room, "change"))
        action = UpdateRoom(
            under_way.speaker,
            obj.slug,
            name=changed.get("name", UNSET),
            topic=changed.get("topic", UNSET),
            archived=changed.get("archived", UNSET),
        )
        if changed:
            under_way.perform(action)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["explained"] = gettext(
            "A room is not deleted: its log is what members, links and other messages refer to."
            " Archive it, and it can only be read."
        )
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("name"), ordering="name")
    def shown(self, room: Room) -> SafeString:
        return room_name(room)

    @admin.display(description=_("on the site"))
    def on_site(self, room: Room) -> Any:
        """A room that is not public opens for its members only, and its address says nothing."""
        address = on_the_site(room)
        public = room.kind == Room.Kind.PUBLIC
        return (
            link(address, isolated(room.slug) if public else gettext("open"))
            if address
            else NOTHING
        )

    @admin.display(description=_("state"))
    def state(self, room: Room) -> str:
        return gettext("archived") if room.archived else ""

    @admin.display(description=_("members"))
    def members(self, room: Any) -> SafeString:
        return link(list_of(Membership, room=room.slug), room.present)

    @admin.display(description=_("messages"), ordering="messages")
    def said(self, room: Room) -> SafeString:
        return link(list_of(Message, room=room.slug), room.messages)

    @admin.display(description=_("events"))
    def events(self, room: Room) -> SafeString:
        return link(list_of(Event, room=room.slug), room.head)

    @admin.display(description=_("links into the room"))
    def links_into(self, room: Room) -> SafeString:
        return link(list_of(RoomInvitation, room=room.slug), gettext("links into the room"))

    @admin.display(description=_("last message"))
    def last_message(self, room: Any) -> Any:
        return moment(room.last_at)

    @admin.display(description=_("made"), ordering="pk")
    def made(self, room: Room) -> Any:
        return moment(room.created_at)
