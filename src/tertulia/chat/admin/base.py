"""What the lists of the administration have in common.

A list may be as long as the log. So nothing counts or sorts a whole table: rows come by an
index, newest first, and what no index serves looks at the newest rows alone.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Count, IntegerField, Model, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext

# Rows that are counted at most. A list ends there: its filters lead further.
COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than `COUNTED`, unless the count is `known` without counting."""

    known: int | None = None

    @cached_property
    def count(self) -> int:
        if self.known is not None:
            return self.known
        rows: Any = self.object_list
        counted: int = rows.order_by()[: COUNTED + 1].count()
        return min(counted, COUNTED)

    @property
    def told(self) -> str:
        """The length of the list, in words where nobody counted to its end."""
        if self.known is None and self.count == COUNTED:
            return gettext("%(n)d or more") % {"n": COUNTED}
        return str(self.count)


class BoundedList(ChangeList):
    """Tells the number of its rows once, beneath them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count


class ReadOnly(admin.ModelAdmin):
    """Can be looked at, not changed. What else can be done with it is an act (`acts.py`)."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    ordering = ("-pk",)
    sortable_by: ClassVar[tuple[str, ...]] = ()

    class Media:
        css = {"all": ("tertulia/css/admin.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoundedList

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def count_of(rows: QuerySet[Any], by: str) -> Any:
    """For an annotation: how many of `rows`, which are already those of the outer one."""
    counted = rows.order_by().values(by).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def newest_pk(model: type[Model]) -> int:
    """The highest primary key; 0 in an empty table."""
    newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0
