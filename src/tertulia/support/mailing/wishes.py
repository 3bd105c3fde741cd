"""Who wants no mails from an inbox, and who wants them again.

An address stands here as a digest. It is looked at before each mail, so that neither a site that
signs the address again nor somebody who types it into the widget brings the mails back.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from ..models import Conversation, Inbox, NoMail, Visitor
from .links import Stop, digest_of


def wants_none(inbox: Inbox, address: str) -> bool:
    """Whether the owner of this address has said so."""
    return NoMail.objects.filter(inbox=inbox, digest=digest_of(address)).exists()


def stop(told: Stop) -> None:
    """Forget the address, and send nothing to it any more, whoever leaves it here."""
    inbox = Inbox.objects.filter(public_id=told.inbox).first()
    if inbox is None:
        return
    NoMail.objects.get_or_create(inbox=inbox, digest=told.digest)
    _forget_visitors(inbox, told)
    mailed = Conversation.objects.filter(client__inbox=inbox)
    mailed.filter(mail_address__in=_written(mailed, "mail_address", told)).update(mail_address="")


def _forget_visitors(inbox: Inbox, told: Stop) -> None:
    """Everybody who has left it; a visitor who has left another since keeps that."""
    visitors = Visitor.objects.filter(inbox=inbox)
    his = visitors.filter(email__in=_written(visitors, "email", told)).order_by("pk")
    with transaction.atomic():
        # Locked: none of them leaves another address before this one is taken away.
        for each in his.select_for_update(no_key=True):
            each.email, each.email_proved = "", False
            # One by one: what he is searched by is told of it, see `search/signals.py`.
            each.save(update_fields=["email", "email_proved"])


def _written(rows: QuerySet[Any], field: str, told: Stop) -> list[str]:
    """All ways in which the address is written there. The link has its digest alone, and whom it
    was mailed to may have another by now: so each address is tried."""
    addresses = rows.exclude(**{field: ""}).values_list(field, flat=True).distinct()
    return [address for address in addresses.iterator() if digest_of(address) == told.digest]


def allow(told: Stop) -> None:
    """He wants mails again. The address is known once more when somebody leaves it."""
    NoMail.objects.filter(inbox__public_id=told.inbox, digest=told.digest).delete()


def is_stopped(told: Stop) -> bool:
    """Whether no mails go to the address now."""
    return NoMail.objects.filter(inbox__public_id=told.inbox, digest=told.digest).exists()
