"""What puts a conversation on the agenda of mails: an answer, and an address.

A mark that is there already stays: `agenda.py` looks at what was really said. The database decides,
since the mark may be taken away at the same moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Coalesce

from tertulia.chat.encode import now

from ..models import Conversation, Visitor
from . import times
from .ready import can_mail_visitors


def answered(at: datetime, seq: int) -> dict[str, Any]:
    """Fields of a conversation in which an agent says something at this time."""
    fields: dict[str, Any] = {"answered_seq": seq}
    if can_mail_visitors():
        fields["mail_at"] = _or_after(at)
    return fields


def has_address(visitor: Visitor) -> None:
    """He can be mailed from now on: what he has not read may be due. Called behind the commit."""
    if visitor.email and can_mail_visitors():
        waiting = Conversation.objects.filter(client=visitor, answered_seq__gt=F("mailed_seq"))
        # Also where a mark seems to be: who is just taking it away may have seen no address.
        waiting.update(mail_at=_or_after(now()))


def _or_after(at: datetime) -> Coalesce:
    """The mark that is there, or one for when it has been quiet for long enough."""
    return Coalesce("mail_at", Value(at + times.QUIET, output_field=DateTimeField()))
