"""Who is in which room."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef as Outer
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..actions import AddMember, ChangeRole, RemoveMember
from ..models import Membership, Mention
from .acts import DELETE, Act, Acts, Doing, doing, permission
from .base import ReadOnly, count_of
from .filters import FoundByPerson, PersonFilter, PresenceFilter, RoomFilter, chosen_room
from .show import NOTHING, person_link, reading, room_link, with_people

_OWNER = Membership.Role.OWNER


class MembershipForm(forms.ModelForm):
    """Who is to be added. Somebody who left may come again: that the row is there is no fault."""

    class Meta:
        model = Membership
        fields = ("room", "participant", "role")

    def _get_validation_exclusions(self) -> set[str]:
        """Django's one hook for this: constraints of these fields are left to the action."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded | {"room", "participant"}


def _remove(doing: Doing, member: Membership) -> None:
    doing.perform(RemoveMember(doing.speaker, member.room.slug, member.participant.public_id))


def _left_without_owner(chosen: list[Membership]) -> Iterator[SafeString]:
    """A line for each room that loses its last owner."""
    owners = [m for m in chosen if m.role == _OWNER and m.left_seq is None]
    rooms = {member.room_id: member.room for member in owners}
    present = Membership.objects.filter(room__in=rooms, role=_OWNER, left_seq__isnull=True)
    staying = present.exclude(pk__in=[member.pk for member in owners])
    kept = set(staying.values_list("room_id", flat=True))
    told = gettext("{} will have no owner then. Here the role can be given to somebody else.")
    for key, room in rooms.items():
        if key not in kept:
            yield format_html(told, room_link(room))


def _give_role(doing: Doing, member: Membership, *, role: str) -> None:
    person = member.participant.public_id
    doing.perform(ChangeRole(doing.speaker, member.room.slug, person, role))


def _role_act(role: str, label: Any) -> Act:
    return Act(
        name=f"make_{role}",
        label=label,
        do=partial(_give_role, role=role),
        permission=permission(Membership, "change"),
        fits=lambda member: member.left_seq is None and member.role != role,
    )


_REMOVE = Act(
    name=DELETE,
    label=_("Remove from the room"),
    do=_remove,
    permission=permission(Membership, "delete"),
    warning=_(
        "Nothing that is said from now on reaches them; a public room they can still read, and"
        " join again. Everybody in the room sees that they were removed, and by whom. What they"
        " wrote stays."
    ),
    cautions=_left_without_owner,
    fits=lambda member: member.left_seq is None,
)


@admin.register(Membership)
class MembershipAdmin(FoundByPerson, Acts, ReadOnly):
    """Who is in which room. Adding, removing and roles are events of the room's log."""

    list_display = ("whom", "in_room", "role", "how_far", "mentions", "joined_seq", "left_seq")
    list_display_links = ("role",)
    list_filter = (RoomFilter, PersonFilter, PresenceFilter, "role")
    form = MembershipForm
    autocomplete_fields = ("room", "participant")
    acts = (
        _REMOVE,
        _role_act(Membership.Role.OWNER.value, _("Make owner")),
        _role_act(Membership.Role.MODERATOR.value, _("Make moderator")),
        _role_act(Membership.Role.MEMBER.value, _("Make an ordinary member")),
    )
    details = (
        "whom",
        "in_room",
        "role",
        "how_far",
        "mentions",
        "favourite",
        "joined_seq",
        "left_seq",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("room", "participant", "role") if obj is None else self.details

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.details

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows = super().get_queryset(request).select_related("room", "participant")
        unread = Mention.objects.filter(
            participant=Outer("participant"), room=Outer("room"), read=False
        )
        return with_people(rows, "room").annotate(unread_mentions=count_of(unread, "room"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        # Of one room in the order of the index of its members, otherwise the newest first.
        return ("pk",) if chosen_room(request) is not None else ("-pk",)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """A new member, by the action."""
        under_way = doing(request, permission(Membership, "add"))
        under_way.perform(
            AddMember(under_way.speaker, obj.room.slug, obj.participant.public_id, obj.role)
        )
        obj.pk = Membership.objects.get(room=obj.room, participant=obj.participant).pk

    @admin.display(description=_("person"))
    def whom(self, member: Membership) -> SafeString:
        return person_link(member.participant)

    @admin.display(description=_("room"))
    def in_room(self, member: Membership) -> SafeString:
        return room_link(member.room)

    @admin.display(description=_("has read"))
    def how_far(self, member: Membership) -> str:
        return reading(member) if member.left_seq is None else NOTHING

    @admin.display(description=_("unread mentions"))
    def mentions(self, member: Any) -> Any:
        return member.unread_mentions or NOTHING
