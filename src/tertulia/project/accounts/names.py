"""Names of accounts: two that look the same after folding may not coexist."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.signals import post_save

from tertulia.chat.slugs import fold

from ..models import AccountName


def connect() -> None:
    """Listen to the accounts, by whatever they are written: pages, admin, shell."""
    post_save.connect(_keep, sender=get_user_model(), dispatch_uid="tertulia_account_name")


def is_taken(name: str, *, besides: Any = None) -> bool:
    """Whether an account other than `besides` has this name, folded."""
    others = AccountName.objects.filter(fold=fold(name))
    if besides is not None and besides.pk:
        others = others.exclude(user=besides)
    return others.exists()


def as_registered(name: str) -> str:
    """The account's own spelling of a name: `ANA` signs in as `ana`. Itself where unknown."""
    known = AccountName.objects.filter(fold=fold(name)).select_related("user").first()
    return known.user.get_username() if known else name


def _keep(instance: Any, raw: bool, update_fields: Any = None, **_: Any) -> None:
    """Raises IntegrityError when the folded name is another account's."""
    written = update_fields is None or instance.USERNAME_FIELD in update_fields
    if written and not raw:
        folded = fold(instance.get_username())
        AccountName.objects.update_or_create(user=instance, defaults={"fold": folded})
