"""What is kept of a link that was sent by mail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A mail on its way for longer than this will not be told of any more: its process has ended.
LOST = timedelta(minutes=10)
# The address is forgotten so long after the link's end.
MEMORY = timedelta(days=30)


class Delivery(models.TextChoices):
    """How far a mail has come."""

    WAITING = "waiting", _("on its way")
    SENT = "sent", _("sent")
    FAILED = "failed", _("not sent")


class MailedLink(models.Model):
    """A link for whoever reads the mail at `address`; blank: it was made to be passed on by hand.

    Only who made it and administrators are shown the address.
    """

    address = models.CharField(
        _("sent to"), max_length=254, blank=True, default="", db_default="", editable=False
    )
    delivery = models.CharField(
        _("mail"),
        max_length=10,
        choices=Delivery.choices,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )

    # Every link has it, each with a name of its own.
    created_at: Any

    class Meta:
        abstract = True

    @property
    def delivered(self) -> Delivery | None:
        """How far the mail has come; None where there is none."""
        if not self.delivery:
            return None
        if self.delivery == Delivery.WAITING and self.created_at < timezone.now() - LOST:
            return Delivery.FAILED
        return Delivery(self.delivery)


def forget_addresses(links: type[MailedLink]) -> None:
    """Blank the addresses of links that ended long ago."""
    manager: Any = links._default_manager
    ended = manager.filter(expires_at__lt=timezone.now() - MEMORY)
    ended.exclude(address="").update(address="")
