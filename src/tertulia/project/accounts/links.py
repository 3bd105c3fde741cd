"""Links that admit: the first administrator's and invitations. Only hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from tertulia.chat.mailing.models import Delivery
from tertulia.chat.models import RoomInvitation

from ..models import Invitation, SetupLink

INVITATION_LIFE = timedelta(days=7)
SETUP_LIFE = timedelta(days=7)


class LinkSpent(Exception):
    """The link was good once and is not any more."""


class LinkUnknown(Exception):
    """There never was such a link, or it is long forgotten."""


def _new_token() -> tuple[str, str]:
    """A token of 192 random bits, and its digest."""
    token = secrets.token_urlsafe(24)
    return token, _digest(token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def has_administrator() -> bool:
    """Whether anybody can administer: an active superuser."""
    return get_user_model()._default_manager.filter(is_superuser=True, is_active=True).exists()


def new_setup_link() -> str | None:
    """The token of a new set-up link, or None where there is an administrator."""
    if has_administrator():
        return None
    SetupLink.objects.filter(created_at__lt=timezone.now() - SETUP_LIFE).delete()
    token, digest = _new_token()
    SetupLink.objects.create(digest=digest)
    return token


def check_setup(token: str) -> None:
    """Raises LinkUnknown or LinkSpent."""
    _refuse_spent(SetupLink.objects.filter(digest=_digest(token)).first())


def _refuse_spent(link: SetupLink | None) -> None:
    if link is None:
        raise LinkUnknown
    if link.used_at or link.created_at < timezone.now() - SETUP_LIFE or has_administrator():
        raise LinkSpent


def use_setup(token: str, administrator: Any) -> None:
    """Save the first administrator's account; of several submissions at once one succeeds.

    Raises as `check_setup` does, and IntegrityError when the name was taken meanwhile.
    """
    with transaction.atomic():
        # All links are locked: two servers may have printed one each. SQLite's transaction
        # holds the write lock from its beginning.
        links = {link.digest: link for link in SetupLink.objects.select_for_update().order_by("pk")}
        link = links.get(_digest(token))
        _refuse_spent(link)
        administrator.is_staff = administrator.is_superuser = True
        administrator.save()
        SetupLink.objects.filter(digest=_digest(token)).update(used_at=timezone.now())


def new_invitation(creator: Any, uses: int) -> str:
    """The token of a new invitation for `uses` people."""
    token, digest = _new_token()
    Invitation.objects.create(
        digest=digest, created_by=creator, expires_at=timezone.now() + INVITATION_LIFE, uses=uses
    )
    return token


def mailed_invitation(creator: Any, address: str) -> tuple[Invitation, str]:
    """One for whoever reads the mail at `address`, and its token."""
    token, digest = _new_token()
    made = Invitation.objects.create(
        digest=digest,
        created_by=creator,
        expires_at=timezone.now() + INVITATION_LIFE,
        uses=1,
        address=address,
        delivery=Delivery.WAITING,
    )
    return made, token


def invitation_with(room_invitation: RoomInvitation, creator: Any) -> str:
    """The token of one for the reader of an invitation to a room; it ends with that one."""
    token, digest = _new_token()
    Invitation.objects.create(
        digest=digest,
        created_by=creator,
        expires_at=room_invitation.expires_at,
        uses=1,
        for_room=room_invitation,
    )
    return token


def invitations() -> QuerySet[Invitation]:
    """The newest first."""
    made = Invitation.objects.select_related("created_by", "for_room")
    return made.order_by("-created_at", "-pk")


def open_invitations() -> QuerySet[Invitation]:
    """Those that still admit somebody."""
    return Invitation.objects.filter(_still_open())


def _still_open() -> Q:
    open_here = Q(revoked_at=None, expires_at__gt=timezone.now(), used__lt=F("uses"))
    # Not by a join: the one statement that counts a use has to look at its own row alone.
    taken_back = RoomInvitation.objects.filter(pk=OuterRef("for_room_id"), revoked_at__isnull=False)
    return open_here & ~Q(Exists(taken_back))


def check_invitation(token: str) -> Invitation:
    """The invitation, with who made it. Raises LinkUnknown or LinkSpent."""
    known = Invitation.objects.filter(digest=_digest(token))
    if not known.exists():
        raise LinkUnknown
    found = known.filter(_still_open()).select_related("created_by").first()
    if found is None:
        raise LinkSpent
    return found


def use_invitation(token: str, account: Any) -> None:
    """Save the account and count the use, or neither. Raises as `check_invitation` does."""
    with transaction.atomic():
        # One statement both checks and counts, so that the last place is given once.
        used = Invitation.objects.filter(_still_open(), digest=_digest(token))
        if not used.update(used=F("used") + 1):
            check_invitation(token)
            raise LinkSpent
        account.save()


def revoke_invitation(key: int) -> None:
    """Take an invitation back; nothing happens where it is not open any more."""
    open_invitations().filter(pk=key).update(revoked_at=timezone.now())
