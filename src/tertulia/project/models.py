"""What the ready-made site keeps besides the chat: folded names and links that admit people.

Of a link's token only the SHA-256 is kept.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tertulia.chat.mailing.models import MailedLink
from tertulia.chat.models import RoomInvitation


class AccountName(models.Model):
    """An account's name, folded: `Ana` and `ana` are one, so nobody poses as somebody else.

    Written with the account, in its transaction, by a signal; unique in the database.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    # Folding makes at most two characters of each of a name's 150.
    fold = models.CharField(max_length=300, unique=True, editable=False)

    def __str__(self) -> str:
        return self.fold


class SetupLink(models.Model):
    """A link by which the first administrator is made: good once, and while there is none."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class Invitation(MailedLink):
    """A link by which people make accounts for themselves while sign-up is by invitation."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    uses = models.PositiveIntegerField(_("how many people may use it"))
    used = models.PositiveIntegerField(default=0, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    # The invitation to a room in whose mail the link is: taken back with it.
    for_room = models.ForeignKey(
        RoomInvitation, null=True, on_delete=models.CASCADE, related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("link that makes accounts")
        verbose_name_plural = _("links that make accounts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used__lte=models.F("uses")), name="tertulia_invitation_uses"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"
