"""Who wants no mails from an inbox, and who wants them again.

An address stands here as a digest. It is looked at before each mail, so that neither a site that
signs the address again nor somebody who types it into the widget brings the mails back.
"""

from __future__ import annotations

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
    visitor = Visitor.objects.filter(inbox=inbox, participant__public_id=told.visitor).first()
    if visitor is None or digest_of(visitor.email) != told.digest:
        return
    address = visitor.email
    for each in Visitor.objects.filter(inbox=inbox, email__iexact=address):
        each.email, each.email_proved = "", False
        # One by one: what he is searched by is told of it, see `search/signals.py`.
        each.save(update_fields=["email", "email_proved"])
    mailed = Conversation.objects.filter(client__inbox=inbox, mail_address__iexact=address)
    mailed.update(mail_address="")


def allow(told: Stop) -> None:
    """He wants mails again. The address is known once more when somebody leaves it."""
    NoMail.objects.filter(inbox__public_id=told.inbox, digest=told.digest).delete()


def is_stopped(told: Stop) -> bool:
    """Whether no mails go to the address now."""
    return NoMail.objects.filter(inbox__public_id=told.inbox, digest=told.digest).exists()
