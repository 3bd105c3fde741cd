"""Links that were sent by mail: to which address only the sender and superusers see."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .show import NOTHING, isolated


class Mailed(admin.ModelAdmin):
    """The column `sent_to`."""

    # The way from a row to the account that made it.
    maker = "created_by__user"
    # Where the address is.
    address: ClassVar[Any] = F("address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the address where whoever asks may see it."""
        shown: Any = self.address
        if not getattr(request.user, "is_superuser", False):
            own = When(**{self.maker: request.user.pk}, then=self.address)
            shown = Case(own, default=Value(""))
        return super().get_queryset(request).annotate(shown_address=shown)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Rows chosen by an address would tell it letter by letter."""
        if "address" in lookup.split(LOOKUP_SEP):
            return False
        return super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("sent to"))
    def sent_to(self, link: Any) -> Any:
        return isolated(link.shown_address) if link.shown_address else NOTHING
