"""Filters by a room or a person: a field to write into, since a list of all would be too long."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.formats import date_format
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from ..access import find_room
from ..models import Event, Membership, Participant, Room
from ..slugs import fold
from .base import newest_pk
from .show import person_link, room_link

# Rows that are looked at where no index serves.
WINDOW = 20_000
# A browser counts exactly up to here.
_LARGEST_SEQ = 2**53 - 1
_PLACE = re.compile(r"([^\s/#]+)[/#](\d{1,16})")


class Place(NamedTuple):
    """A room's address, and a seq in its log."""

    slug: str
    seq: int


def place_of(text: str) -> Place | None:
    """What a permanent link, `slug/413` or `slug#413` names."""
    text = text.strip()
    if "://" in text or text.startswith("/"):
        return _linked(text)
    found = _PLACE.fullmatch(text)
    return _place(found[1], int(found[2])) if found else None


def _linked(address: str) -> Place | None:
    try:
        match = resolve(unquote(urlsplit(address).path))
    except (Resolver404, ValueError):
        return None
    seq = match.kwargs.get("seq")
    return _place(match.kwargs.get("slug", ""), seq) if isinstance(seq, int) else None


def _place(slug: str, seq: int) -> Place | None:
    return Place(slug, seq) if seq <= _LARGEST_SEQ else None


class TextFilter(admin.SimpleListFilter):
    """A field in the sidebar. `find` gives what was meant; the rows are those that belong to it."""

    template = "admin/tertulia_chat/text_filter.html"
    # Of the field: what browsers offer for writing into it.
    kind = "text"
    hint: Any = ""
    absent: Any = ""
    # The way from a row to what is found.
    field = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("", "")]

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        self.found = self.find(request)
        if not self.value():
            return queryset
        if self.found is None:
            return queryset.none()
        return queryset.filter(**{self.field: self.found.pk})

    def find(self, request: HttpRequest) -> Any:
        """What the text names, or None."""
        raise NotImplementedError

    def show(self, found: Any) -> Any:
        """Its name, as a link."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        others = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in values
            if name not in (self.parameter_name, PAGE_VAR)
        ]
        yield {
            "written": self.value() or "",
            "others": others,
            "query_string": changelist.get_query_string(remove=[self.parameter_name]),
            "found": self.show(self.found) if self.found is not None else "",
        }


_ROOM = "_tertulia_room_filter"


def chosen_room(request: HttpRequest) -> Room | None:
    """The room by which the list is filtered; asked of the database once a request."""
    if not hasattr(request, _ROOM):
        text = request.GET.get("room", "").replace("\0", "").strip()
        setattr(request, _ROOM, _room_named(text) if text else None)
    room: Room | None = getattr(request, _ROOM)
    return room


def slug_of(text: str) -> str:
    """The room's address in a link to it; any other text as it is."""
    if "://" not in text and not text.startswith("/"):
        return text
    try:
        slug: str = resolve(unquote(urlsplit(text).path)).kwargs.get("slug", "")
    except (Resolver404, ValueError):
        return ""
    return slug


def _room_named(text: str) -> Room | None:
    """By its address, a link to it, or else its name."""
    named = Room.objects.filter(name__iexact=text).order_by("pk")
    return find_room(slug_of(text)) or named.first()


class RoomFilter(TextFilter):
    """`?room=<address>`."""

    title = _("room")
    parameter_name = "room"
    field = "room"
    hint = _("address or name")
    absent = _("There is no such room.")

    def find(self, request: HttpRequest) -> Room | None:
        return chosen_room(request)

    def show(self, found: Room) -> Any:
        return room_link(found)


class ReactionRoomFilter(RoomFilter):
    """The same of reactions, which have their room by the message: to its newest messages."""

    field = "message__room"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows, room = super().queryset(request, queryset), chosen_room(request)
        return rows.filter(message__seq__gt=room.head - WINDOW) if room is not None else rows


class PersonFilter(TextFilter):
    """`?person=<name or public id>`."""

    title = _("person")
    parameter_name = "person"
    field = "participant"
    hint = _("name")
    absent = _("There is nobody of this name.")

    def find(self, request: HttpRequest) -> Participant | None:
        text = (self.value() or "").replace("\0", "").strip()
        if not text:
            return None
        named = Q(public_id=text) | Q(name_fold=fold(text))
        return Participant.objects.filter(named).order_by("pk").first()

    def show(self, found: Participant) -> Any:
        return person_link(found)


class ReactorFilter(PersonFilter):
    """The same of reactions; within a room only its messages' index serves, not the person's."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if chosen_room(request) is not None:
            self.field = "reactor"
            queryset = queryset.alias(reactor=F("participant_id") + 0)
        return super().queryset(request, queryset)


class MakerFilter(PersonFilter):
    """The same of links."""

    title = _("made by")
    field = "created_by"


class AuthorFilter(PersonFilter):
    """The same of messages."""

    title = _("author")
    field = "author"


class ActorFilter(PersonFilter):
    """The same of events, which no index has by their actors: of the newest, or of a room."""

    title = _("actor")
    field = "actor"
    hint = _("name, in the newest 20,000")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.find(request) is None:
            return super().queryset(request, queryset)
        return super().queryset(request, newest(queryset, chosen_room(request)))


class DayFilter(TextFilter):
    """`?day=2026-11-21`, in the reader's time zone, of one room: its times go on with its seqs."""

    title = _("day")
    parameter_name = "day"
    kind = "date"
    absent = _("Choose a room first, then a day.")

    def find(self, request: HttpRequest) -> date | None:
        room, text = chosen_room(request), self.value()
        try:
            day = date.fromisoformat(text) if text and room is not None else None
            # The last day that there is has no next one.
            return day if day is not None and day + timedelta(days=1) else None
        except (ValueError, OverflowError):
            return None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        self.found = self.find(request)
        room = chosen_room(request)
        if not self.value():
            return queryset
        if self.found is None or room is None:
            return queryset.none()
        begins = [_first_seq(room, self.found + timedelta(days=n)) for n in (0, 1)]
        return queryset.filter(seq__gte=begins[0], seq__lt=begins[1])

    def show(self, found: date) -> str:
        return date_format(found)


def _first_seq(room: Room, day: date) -> int:
    """Where a day begins in a room's log: some twenty looks at single lines, by its index."""
    began = make_aware(datetime.combine(day, time.min))
    lines = Event.objects.filter(room=room)
    seqs = range(1, room.head + 1)
    return 1 + bisect_left(
        seqs, began, key=lambda seq: lines.values_list("at", flat=True).get(seq=seq)
    )


class PresenceFilter(admin.SimpleListFilter):
    """Members now, unless those who left are asked for."""

    title = _("presence")
    parameter_name = "was"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("left", _("who have left")), ("all", _("all who ever were"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": _("members now")}

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Membership]
    ) -> QuerySet[Membership]:
        if self.value() == "all":
            return queryset
        return queryset.filter(left_seq__isnull=self.value() != "left")


def newest(queryset: QuerySet[Any], room: Room | None) -> QuerySet[Any]:
    """Only the newest `WINDOW` rows of a room's log, or of the whole table."""
    if room is not None:
        return queryset.filter(seq__gt=room.head - WINDOW)
    return queryset.filter(pk__gt=newest_pk(queryset.model) - WINDOW)


class FoundByPerson(admin.ModelAdmin):
    """A search field for a part of the name of the person to whom a row belongs."""

    search_fields = ("participant__name",)
    search_help_text = _("A part of the person’s name.")
    # The way from a row to the person.
    person = "participant"
    # Whether there may be so many rows that only the newest are looked at.
    many = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace("\0", "").strip()
        if not term:
            return queryset, False
        if self.many:
            queryset = queryset.filter(pk__gt=newest_pk(queryset.model) - WINDOW)
        return queryset.filter(**{f"{self.person}__name_fold__contains": fold(term)}), False
