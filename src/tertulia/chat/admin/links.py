"""The links that lead into rooms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..actions import RevokeInvitation
from ..models import RoomInvitation
from .acts import Act, Acts, Doing, permission
from .base import ReadOnly
from .filters import FoundByPerson, MakerFilter, RoomFilter
from .mailed import Mailed
from .show import person_link, room_link, with_people


class GoodFilter(admin.SimpleListFilter):
    """Links that are neither taken back nor past their time."""

    title = _("state")
    parameter_name = "good"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("good")), ("0", _("past or taken back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        good = Q(revoked_at=None, expires_at__gt=timezone.now())
        if self.value() is None:
            return queryset
        return queryset.filter(good if self.value() == "1" else ~good)


def _revoke(doing: Doing, invitation: RoomInvitation) -> None:
    doing.perform(RevokeInvitation(doing.speaker, invitation.room.slug, invitation.pk))


@admin.register(RoomInvitation)
class RoomInvitationAdmin(FoundByPerson, Mailed, Acts, ReadOnly):
    """Links that let people in. Only their hashes are kept: they cannot be shown again."""

    list_display = (
        "into",
        "by",
        "state",
        "uses",
        "sent_to",
        "delivery",
        "created_at",
        "expires_at",
    )
    list_display_links = ("state",)
    list_filter = (RoomFilter, MakerFilter, GoodFilter)
    search_fields = ("created_by__name",)
    person = "created_by"
    fields = (*list_display, "revoked_at")
    readonly_fields = fields
    acts = (
        Act(
            name="revoke",
            label=_("Take the link back"),
            do=_revoke,
            permission=permission(RoomInvitation, "change"),
            fits=lambda invitation: invitation.revoked_at is None,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoomInvitation]:
        rows = super().get_queryset(request).select_related("room", "created_by")
        return with_people(rows, "room")

    @admin.display(description=_("room"))
    def into(self, invitation: RoomInvitation) -> SafeString:
        return room_link(invitation.room)

    @admin.display(description=_("made by"))
    def by(self, invitation: RoomInvitation) -> SafeString:
        return person_link(invitation.created_by)

    @admin.display(description=_("state"))
    def state(self, invitation: RoomInvitation) -> str:
        if invitation.revoked_at is not None:
            return gettext("taken back")
        past = invitation.expires_at <= timezone.now()
        return gettext("past its time") if past else gettext("good")
