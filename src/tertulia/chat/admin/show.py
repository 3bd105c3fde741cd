"""What people wrote, and links from one thing to another, in the pages of the administration."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext

from ..models import Membership, Message, Participant, Room
from ..shown import is_unseen

# Where the people of a direct room are kept for `room_name`.
_PEOPLE = "people_shown"
# People that a direct room is called after, and characters of a text in a list.
_NAMED = 4
_EXCERPT = 140

NOTHING = "–"


def isolated(text: str) -> SafeString:
    """Text in an isolate of its own; what cannot be seen in it is shown by its code."""
    if not any(map(is_unseen, text.replace("\n", ""))):
        return format_html('<bdi class="tertulia-text">{}</bdi>', text)
    pieces = (
        format_html('<span class="tertulia-unseen">U+{}</span>', f"{ord(char):04X}")
        if char != "\n" and is_unseen(char)
        else format_html("{}", char)
        for char in text
    )
    inside = format_html_join("", "{}", ((piece,) for piece in pieces))
    return format_html('<bdi class="tertulia-text">{}</bdi>', inside)


def excerpt(text: str) -> SafeString:
    """The beginning of a text, in one line."""
    line = " ".join(text[: 2 * _EXCERPT].split())
    return isolated(line if len(line) <= _EXCERPT else line[:_EXCERPT] + "…")


def page_of(instance: Any) -> str:
    """The address of an object's page in the administration."""
    options = instance._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[instance.pk])


def list_of(model: Any, **chosen: Any) -> str:
    """The address of a list in the administration, with these filters."""
    options = model._meta
    address = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return f"{address}?{urlencode(chosen)}" if chosen else address


def moment(time: datetime | None) -> str:
    """A time in the reader's zone and language."""
    return date_format(localtime(time), "DATETIME_FORMAT") if time is not None else NOTHING


def link(address: str, text: Any) -> SafeString:
    """A link; `text` is escaped unless it is markup already."""
    return format_html('<a href="{}">{}</a>', address, text)


def person_link(person: Participant) -> SafeString:
    """A person's name, leading to his page."""
    return link(page_of(person), isolated(person.name))


def room_name(room: Room) -> SafeString:
    """A room's name; a direct room without one is called after its people."""
    if room.name:
        return isolated(room.name)
    people: list[Membership] = getattr(room, _PEOPLE, [])
    if not people:
        return isolated(room.slug)
    names = format_html_join(
        ", ", "{}", ((isolated(member.participant.name),) for member in people[:_NAMED])
    )
    return format_html("{}{}", names, ", …" if len(people) > _NAMED else "")


def room_link(room: Room) -> SafeString:
    """A room's name, leading to its page."""
    return link(page_of(room), room_name(room))


def message_at(room_id: int, seq: int) -> SafeString:
    """A message by its seq; the address finds its row when somebody follows it."""
    return link(reverse("admin:tertulia_chat_message_at", args=[room_id, seq]), f"#{seq}")


def on_the_site(room: Room, seq: int | None = None) -> str | None:
    """The address on the chat's own pages, where the site has them."""
    try:
        if seq is None:
            return reverse("tertulia:room", args=[room.slug])
        return reverse("tertulia:message", args=[room.slug, seq])
    except NoReverseMatch:
        return None


def with_people(rows: QuerySet[Any], room: str = "") -> QuerySet[Any]:
    """Have the people of direct rooms read with the rows, in one query for all of them.

    `room` is the way from a row to its room; blank where the row is the room itself.
    """
    present = Membership.objects.filter(room__kind=Room.Kind.DIRECT, left_seq__isnull=True)
    people = present.select_related("participant").order_by("pk")
    path = f"{room}__memberships" if room else "memberships"
    return rows.prefetch_related(Prefetch(path, queryset=people, to_attr=_PEOPLE))


def reading(member: Membership) -> str:
    """How far a member has read, of how much."""
    room = member.room
    unread = room.messages - member.read_number
    said = gettext("%(read)d of %(head)d") % {"read": member.read_seq, "head": room.head}
    return f"{said} · {gettext('unread: %(n)d') % {'n': unread}}" if unread else said


def message_text(message: Message) -> SafeString:
    """The beginning of what a message says; that it was deleted, where it says nothing more."""
    if message.deleted:
        return format_html("<em>{}</em>", gettext("deleted"))
    return excerpt(message.text)
