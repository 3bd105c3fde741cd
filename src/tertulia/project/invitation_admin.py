"""Links that make accounts, in the administration: who made which, and taking them back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, When
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tertulia.chat.admin.acts import Act, Acts, Doing, permission
from tertulia.chat.admin.base import ReadOnly
from tertulia.chat.admin.filters import FoundByPerson, MakerFilter
from tertulia.chat.admin.mailed import Mailed
from tertulia.chat.admin.show import NOTHING, person_link, room_link

from .accounts import links
from .accounts.invite import state_of
from .models import Invitation


class AccountMakerFilter(MakerFilter):
    """By who made the link: an account, found by the name in the chat."""

    field = "created_by__participant"


class OpenFilter(admin.SimpleListFilter):
    """Links that still admit somebody."""

    title = _("state")
    parameter_name = "good"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("good")), ("0", _("used up, expired or taken back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        still = Q(pk__in=links.open_invitations().values("pk"))
        return queryset.filter(still if self.value() == "1" else ~still)


def _revoke(doing: Doing, invitation: Invitation) -> None:
    doing.authority.check()
    links.revoke_invitation(invitation.pk)


@admin.register(Invitation)
class InvitationAdmin(FoundByPerson, Mailed, Acts, ReadOnly):
    """Links by which people make accounts. Only their hashes are kept: they are made, and shown
    once, on the page for inviting."""

    list_display = ("state", "by", "used_by", "sent_to", "mail", "into", "made", "until")
    list_display_links = ("state",)
    list_filter = (AccountMakerFilter, OpenFilter)
    fields = list_display
    readonly_fields = fields
    search_fields = ("created_by__participant__name",)
    person = "created_by__participant"
    maker = "created_by"
    address = Case(When(for_room__isnull=False, then=F("for_room__address")), default=F("address"))
    acts = (
        Act(
            name="revoke",
            label=_("Take the link back"),
            do=_revoke,
            permission=permission(Invitation, "change"),
            fits=lambda invitation: state_of(invitation) == "open",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        rows = super().get_queryset(request)
        return rows.select_related("created_by__participant", "for_room__room")

    @admin.display(description=_("state"))
    def state(self, invitation: Invitation) -> str:
        told = {
            "open": gettext("good"),
            "taken back": gettext("taken back"),
            "used up": gettext("used up"),
            "expired": gettext("expired"),
        }
        # Its mail never went out: nobody has it.
        return told.get(state_of(invitation), NOTHING)

    @admin.display(description=_("made by"))
    def by(self, invitation: Invitation) -> Any:
        person = getattr(invitation.created_by, "participant", None)
        return person_link(person) if person is not None else NOTHING

    @admin.display(description=_("used"))
    def used_by(self, invitation: Invitation) -> str:
        told = {"used": invitation.used, "uses": invitation.uses}
        return gettext("%(used)s of %(uses)s") % told

    @admin.display(description=_("mail"))
    def mail(self, invitation: Invitation) -> Any:
        delivered = (invitation.for_room or invitation).delivered
        return delivered.label if delivered is not None else NOTHING

    @admin.display(description=_("with an invitation to a room"))
    def into(self, invitation: Invitation) -> Any:
        return room_link(invitation.for_room.room) if invitation.for_room else NOTHING

    @admin.display(description=_("made"))
    def made(self, invitation: Invitation) -> Any:
        return invitation.created_at

    @admin.display(description=_("good until"))
    def until(self, invitation: Invitation) -> Any:
        return invitation.expires_at
