"""Finding public rooms: what fits best comes first."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from .models import Participant, Room
from .slugs import fold


def find_public(
    person: Participant, text: str, limit: int, *, archived: bool
) -> tuple[list[dict[str, Any]], bool]:
    """Public rooms that `person` is no member of, and whether there are more than `limit`."""
    rooms = Room.objects.filter(kind=Room.Kind.PUBLIC).exclude(
        pk__in=person.memberships.filter(left_seq__isnull=True).values("room_id")
    )
    if not archived:
        rooms = rooms.filter(archived=False)
    found = list(_ranked(rooms, text).values_list("pk", flat=True)[: limit + 1])
    return _lines(found[:limit]), len(found) > limit


def _ranked(rooms: QuerySet[Room], text: str) -> QuerySet[Room]:
    """The name from its beginning, from that of a word, the address, within the name, the topic."""
    if not text:
        return rooms.order_by("archived", "name", "id")
    # SQLite compares case in ASCII only; an address is folded, whatever the script.
    slug = "-".join(fold(text).split())
    ranks = (
        Q(name__istartswith=text) | Q(slug_fold__startswith=slug),
        Q(name__icontains=f" {text}") | Q(slug_fold__contains=f"-{slug}"),
        Q(name__icontains=text) | Q(slug_fold__contains=slug),
        Q(topic__icontains=text),
    )
    whens = [When(fits, then=Value(rank)) for rank, fits in enumerate(ranks)]
    rank = Case(*whens, default=None, output_field=IntegerField(null=True))
    ranked = rooms.annotate(rank=rank).filter(rank__isnull=False)
    return ranked.order_by("archived", "rank", "name", "id")


def _lines(ids: list[int]) -> list[dict[str, Any]]:
    """What is told of these rooms, in this order; members are counted of these alone."""
    present = Count("memberships", filter=Q(memberships__left_seq__isnull=True))
    rooms = Room.objects.annotate(members=present).in_bulk(ids)
    return [
        {
            "room": room.slug,
            "name": room.name,
            "topic": room.topic,
            "members": room.members,
            "archived": room.archived,
        }
        for room in map(rooms.__getitem__, ids)
    ]
