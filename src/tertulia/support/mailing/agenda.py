"""Which answers are due by mail, who sends them, and what became of that.

Every process looks. A mail belongs to the one whose UPDATE has found the time of the look as it
was; it writes the end of its lease in that place, so if it dies the others find the mail again when
the lease has ended. Dead between the mail server's yes and our commit means that the mail goes out
once more: it may come twice, but is not lost.

What is read here is read behind that UPDATE, in the same transaction: an answer that comes at this
moment waits for it, and puts the conversation back on the agenda where it was taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Case, Count, DateTimeField, F, Max, Min, Q, Value, When
from django.db.models.functions import Coalesce

from tertulia.chat.encode import now
from tertulia.chat.mailing.addresses import tidy
from tertulia.chat.mailing.faults import Fault
from tertulia.chat.models import Membership, Message

from .. import changes
from ..models import Conversation, SentMail, Visitor
from . import times
from .wishes import wants_none

# Answers that a mail shows; the others are in the conversation.
ANSWERS = 10
# What nobody can mend by trying again.
FINAL = frozenset({Fault.ADDRESS, Fault.REFUSED})
# PostgreSQL's name for "one counts at a time", so that what an address has got is counted exactly.
_COUNTING = 0x7465_7274_6D61_696C


class Due(NamedTuple):
    """A conversation to be looked at, and the time that stands on its agenda."""

    id: int
    at: datetime


class _Unread(NamedTuple):
    """The answers that he has neither read nor been mailed: their last seq, when they were given,
    and how many they are."""

    seq: int
    first: datetime
    last: datetime
    number: int


@dataclass(frozen=True)
class Claim:
    """A mail that is ours to send, and all that stands in it."""

    conversation: Conversation
    # Normal form; "" where what was left is no address that mail servers take.
    address: str
    answers: list[Message]
    # How many answers there are besides.
    further: int
    # The last seq of all of them.
    seq: int
    # Until when it is ours, and when it was first tried.
    lease: datetime
    since: datetime
    tries: int
    # None: the address or the inbox has had enough for now.
    sent: SentMail | None


def look(most: int) -> tuple[list[Due], bool]:
    """What is to be looked at now, the longest first; and whether anything stands on the agenda."""
    standing = Conversation.objects.filter(mail_at__isnull=False).order_by("mail_at")
    rows = [Due(pk, at) for pk, at in standing.values_list("pk", "mail_at")[:most] if at]
    present = now()
    return [due for due in rows if due.at <= present], bool(rows)


def claim(due: Due) -> Claim | None:
    """Take the mail. None: another process has it, somebody is writing to the conversation, nothing
    is to be sent, or not yet."""
    with transaction.atomic():
        # Whoever has the row, a host's transaction for one, may keep it for long: the mails of
        # others do not wait for him. It stands on the agenda as before.
        free = Conversation.objects.select_for_update(no_key=True, skip_locked=True)
        mine = free.filter(pk=due.id, mail_at=due.at).values_list("pk", flat=True)
        if not list(mine):
            return None
        at = now()
        lease = at + times.LEASE
        taken = Conversation.objects.filter(pk=due.id, mail_at=due.at).update(
            mail_at=lease,
            mail_tries=F("mail_tries") + 1,
            mail_since=Coalesce("mail_since", Value(at, output_field=DateTimeField())),
        )
        conversation = changes.find(Conversation.objects.filter(pk=due.id)) if taken else None
        return None if conversation is None else _decide(conversation, at, lease)


def _decide(conversation: Conversation, at: datetime, lease: datetime) -> Claim | None:
    unread = _unread(conversation)
    client = conversation.client
    if unread is None or not client.email or wants_none(client.inbox, client.email):
        _put_off(conversation, None)
        return None
    due = min(unread.last + times.QUIET, unread.first + times.LATEST)
    if due > at:
        _put_off(conversation, due)
        return None
    address = _tidy(client.email)
    answers = _unread_messages(conversation).select_related("author").order_by("seq")
    shown = list(answers[:ANSWERS])
    if not shown:
        # Deleted since they were counted.
        _put_off(conversation, None)
        return None
    assert conversation.mail_since is not None
    return Claim(
        conversation=conversation,
        address=address,
        answers=shown,
        further=max(0, unread.number - len(shown)),
        seq=unread.seq,
        lease=lease,
        since=conversation.mail_since,
        tries=conversation.mail_tries,
        sent=_counted(client, address, at) if address else None,
    )


def _put_off(conversation: Conversation, until: datetime | None) -> None:
    """Nothing is to be sent before then; None: before another answer."""
    Conversation.objects.filter(pk=conversation.pk).update(
        mail_at=until, mail_tries=0, mail_since=None
    )


def _tidy(email: str) -> str:
    try:
        return tidy(email)
    except ValueError:
        return ""


def _unread_messages(conversation: Conversation) -> Any:
    """Messages of others than the visitor, as they are now, which he has not read here or in a
    mail."""
    visitor = conversation.client.participant_id
    read = Membership.objects.filter(room=conversation.room_id, participant=visitor)
    after = max(read.values_list("read_seq", flat=True).first() or 0, conversation.mailed_seq)
    others = Message.objects.filter(room=conversation.room_id, seq__gt=after, deleted=False)
    return others.exclude(author=visitor)


def _unread(conversation: Conversation) -> _Unread | None:
    told = _unread_messages(conversation).aggregate(
        seq=Max("seq"), first=Min("sent_at"), last=Max("sent_at"), number=Count("pk")
    )
    return _Unread(**told) if told["number"] else None


def _counted(visitor: Visitor, address: str, at: datetime) -> SentMail | None:
    """The mail as it is counted, if there may be one more."""
    if connection.vendor == "postgresql":
        # Whoever waits here has a conversation's row; he who is waited for asks for no other one.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_COUNTING])
    yesterday = at - times.DAY
    SentMail.objects.filter(at__lt=yesterday).delete()
    # Proved of this address, and not of one that he has left since.
    his = Q(visitor__email_proved=True, visitor__email__iexact=F("address"))
    followed = his & Q(visitor__seen_at__gt=F("at"))
    recent = SentMail.objects.filter(at__gte=yesterday)
    to_him = recent.filter(address=address.lower()).exclude(followed)
    if to_him.count() >= times.TO_ONE:
        return None
    if recent.filter(inbox=visitor.inbox_id).count() >= times.OF_INBOX:
        return None
    return SentMail.objects.create(
        inbox_id=visitor.inbox_id, visitor=visitor, address=address.lower(), at=at
    )


def settle(mine: Claim, fault: Fault | None) -> str:
    """Write down what became of it: `sent`, `later` or `failed`."""
    at = now()
    outcome = _outcome(mine, fault, at)
    if outcome == "later":
        pause = times.PAUSES[min(mine.tries, len(times.PAUSES)) - 1]
        fields: dict[str, Any] = {"mail_at": at + pause}
    else:
        # What was said since has its own quiet while.
        soon = Value(at + times.QUIET, output_field=DateTimeField())
        fields = {
            "mail_at": Case(When(answered_seq__gt=mine.seq, then=soon), default=None),
            "mail_since": None,
            "mail_tries": 0,
            "mailed_seq": mine.seq,
            "mail_state": outcome,
            "mail_state_at": at,
            "mail_address": mine.address or mine.conversation.client.email,
        }
    with transaction.atomic():
        # Not where the lease has ended and another process tries, or the address was taken back.
        held = Conversation.objects.filter(pk=mine.conversation.pk, mail_at=mine.lease)
        held.update(**fields)
        if outcome == "later" and mine.sent is not None:
            mine.sent.delete()
    return outcome


def _outcome(mine: Claim, fault: Fault | None, at: datetime) -> str:
    if fault is None:
        return "sent"
    return "failed" if fault in FINAL or at - mine.since >= times.GIVEN_UP else "later"
