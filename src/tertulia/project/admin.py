"""Accounts in the administration: Django's own, with one spelling a name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tertulia.chat.admin.show import NOTHING, isolated, person_link

from . import deeds_admin, invitation_admin  # noqa: F401  (registered by being imported)
from .accounts.forms import AccountChangeForm, OneSpelling

# What decides who may do what; only superusers change it.
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


class AccountAddForm(OneSpelling, AdminUserCreationForm):
    """The administration's form on a new account."""


class AccountAdmin(UserAdmin):
    """As Django's, but that names equal after folding are refused in words, that an account leads
    to its person in the chat, and that only a superuser gives rights or touches a superuser."""

    form = AccountChangeForm
    add_form = AccountAddForm
    list_display = ("shown", "in_the_chat", "email", "is_active", "is_staff", "last_login")
    list_select_related = ("participant",)
    show_facets = admin.ShowFacets.NEVER
    delete_confirmation_template = "admin/tertulia_project/delete_account.html"
    delete_selected_confirmation_template = "admin/tertulia_project/delete_accounts.html"

    class Media:
        css = {"all": ("tertulia/css/admin.css",)}

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_touch(request, obj) and super().has_delete_permission(request, obj)

    def _may_touch(self, request: HttpRequest, account: Any) -> bool:
        """A new password for a superuser would make whoever sets it one."""
        return bool(request.user.is_superuser or not getattr(account, "is_superuser", False))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody gives away, to himself least of all, what he does not have."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("participant")

    @admin.display(description=_("account"), ordering="username")
    def shown(self, user: Any) -> Any:
        return isolated(user.get_username())

    @admin.display(description=_("person in the chat"))
    def in_the_chat(self, user: Any) -> Any:
        person = getattr(user, "participant", None)
        return person_link(person) if person is not None else NOTHING


admin.site.unregister(get_user_model())
admin.site.register(get_user_model(), AccountAdmin)
admin.site.site_header = admin.site.site_title = _("Administration of Tertulia")
admin.site.index_title = _("What can be looked after")
