"""Making an account, from the command line."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from . import names


class AccountRefused(Exception):
    """The account cannot be made; the text says why, in one line."""


def create_account(name: str, password: str | None, *, admin: bool = False) -> Any:
    """Make an account; without a password it signs in by token only.

    Raises AccountRefused for a bad or taken name and a password that the validators refuse.
    """
    model: Any = get_user_model()
    user = model(username=model.normalize_username(name), is_staff=admin, is_superuser=admin)
    try:
        model._meta.get_field("username").clean(user.username, user)
    except ValidationError as error:
        raise _refusal("name", error) from error
    try:
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        raise _refusal("password", error) from error
    taken = AccountRefused(f"the name {user.username} is taken")
    if names.is_taken(user.username):
        raise taken
    if password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    try:
        save_account(user)
    except IntegrityError as error:
        raise taken from error
    return user


def _refusal(what: str, error: ValidationError) -> AccountRefused:
    return AccountRefused(f"this {what} cannot be used: {' '.join(error.messages)}")


def save_account(user: Any) -> None:
    """Save with the folded name, or neither. Raises IntegrityError when the name is taken."""
    with transaction.atomic():
        user.save()
