"""What the lists of the log have in common: rows with a room and a seq, very many of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..access import find_room
from ..models import Room
from .base import ReadOnly
from .filters import chosen_room, newest, place_of
from .show import room_link, with_people

# The filters for which rows come by an index, each by itself.
_INDEXED = frozenset({"room", "person"})
_OF_THE_PAGE = {PAGE_VAR, *IGNORED_PARAMS}


class OfTheLog(ReadOnly):
    """Rows with a room and a seq, as many as anybody ever wrote."""

    # The room's counter of these rows, if there is one.
    counter = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_people(super().get_queryset(request).select_related("room"), "room")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By the index that serves: of a room's log, or of the table."""
        return ("-room_id", "-seq") if chosen_room(request) is not None else ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A link or `room/seq` finds its rows by an index; words are looked for in the newest."""
        term = search_term.replace("\0", "").strip()
        place = place_of(term)
        if place is not None:
            room = find_room(place.slug)
            return self.at_place(queryset, room, place.seq) if room else queryset.none(), False
        if self._is_bounded(request, bool(term)):
            queryset = newest(queryset, chosen_room(request))
        return self.with_words(queryset, term.split()), False

    def at_place(self, queryset: QuerySet[Any], room: Room, seq: int) -> QuerySet[Any]:
        """The rows of one message."""
        return queryset.filter(room=room, seq=seq)

    def with_words(self, queryset: QuerySet[Any], words: list[str]) -> QuerySet[Any]:
        """The rows that hold all these words."""
        return queryset

    def _is_bounded(self, request: HttpRequest, searched: bool) -> bool:
        """Whether no index serves what is asked for. A day is a part of a room's log by itself."""
        asked = _asked(request)
        if "day" in asked:
            return False
        return searched or len(asked) > 1 or bool(asked - _INDEXED)

    def get_paginator(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> Any:
        """Of a whole room, or of all of them, the counters know the number."""
        paginator: Any = super().get_paginator(request, queryset, *args, **kwargs)
        if self.counter and not request.GET.get("q"):
            room = chosen_room(request)
            asked = _asked(request)
            if room is not None and asked == {"room"}:
                paginator.known = getattr(room, self.counter)
            elif not asked:
                total = Room.objects.aggregate(n=Sum(self.counter))["n"]
                paginator.known = total or 0
        return paginator

    @admin.display(description=_("room"))
    def in_room(self, row: Any) -> SafeString:
        return room_link(row.room)


def _asked(request: HttpRequest) -> set[str]:
    """The filters of the list that are set."""
    return {name for name, value in request.GET.items() if value} - _OF_THE_PAGE
