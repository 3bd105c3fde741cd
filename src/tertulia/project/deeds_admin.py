"""Who did what in the administration, for superusers. Django keeps it and has no page of all."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from tertulia.chat.admin.base import ReadOnly
from tertulia.chat.admin.filters import FoundByPerson, PersonFilter
from tertulia.chat.admin.show import isolated, link, person_link


class DoerFilter(PersonFilter):
    """By who did it."""

    field = "user__participant"


@admin.register(LogEntry)
class DeedAdmin(FoundByPerson, ReadOnly):
    """What was done in the administration, newest first."""

    list_display = ("action_time", "by", "what", "which", "how")
    list_filter = (DoerFilter, "action_flag")
    fields = list_display
    readonly_fields = fields
    search_fields = ("user__participant__name",)
    person = "user__participant"
    many = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The names of rooms and accounts are in it that others of the staff may not see."""
        return bool(getattr(request.user, "is_superuser", False))

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        rows = super().get_queryset(request)
        return rows.select_related("user__participant", "content_type")

    @admin.display(description=_("person"))
    def by(self, entry: LogEntry) -> SafeString:
        person = getattr(entry.user, "participant", None)
        return person_link(person) if person is not None else isolated(str(entry.user))

    @admin.display(description=_("what"))
    def what(self, entry: LogEntry) -> Any:
        return entry.content_type.name if entry.content_type else ""

    @admin.display(description=_("which"))
    def which(self, entry: LogEntry) -> SafeString:
        shown = isolated(entry.object_repr)
        address = None if entry.is_deletion() else entry.get_admin_url()
        return link(address, shown) if address else shown

    @admin.display(description=_("what was done"))
    def how(self, entry: LogEntry) -> SafeString:
        done = entry.get_change_message() or entry.get_action_flag_display()
        return isolated(str(done))
