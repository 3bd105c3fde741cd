"""Accounts in the administration: Django's own, with one spelling a name."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from .accounts.forms import AccountChangeForm, OneSpelling


class AccountAddForm(OneSpelling, AdminUserCreationForm):
    """The administration's form on a new account."""


class AccountAdmin(UserAdmin):
    """As Django's, but that names equal after folding are refused in words."""

    form = AccountChangeForm
    add_form = AccountAddForm


admin.site.unregister(get_user_model())
admin.site.register(get_user_model(), AccountAdmin)
