"""The support desk's tables, beside those of the chat.

A `Conversation` has two rooms: the one in which the visitor and the agents talk, and one for the
agents' notes, of which the visitor is no member. Its row is changed only under the lock of the
first room.
"""

from __future__ import annotations

import re
import secrets
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tertulia.chat.models import Participant, Room, new_public_id
from tertulia.chat.origin import parse_origin
from tertulia.chat.shown import plain

from .hours import check_hours

# What an inbox says to its visitors, by language.
TEXTS = ("title", "greeting", "away")
TEXT_LENGTH = 1_000
_SITE = re.compile(r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?::[0-9]{1,5})?\Z")
# A host that ends like this is an address to browsers, or nothing.
_NUMBER = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\Z")


def new_secret() -> str:
    """256 random bits, with which a host signs who its visitors are."""
    return secrets.token_hex(32)


def check_sites(value: Any) -> None:
    """A list of origins: scheme, host and port, in lower case, and nothing after them."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValidationError(_("Write a list of addresses."), code="invalid")
    for one in value:
        if not _is_site(one):
            raise ValidationError(
                _("“%(site)s” is no site: write it like https://shop.example.org."),
                code="invalid",
                params={"site": one},
            )


def _is_site(text: str) -> bool:
    found = _SITE.match(text)
    # The port may be too high.
    if found is None or parse_origin(text) is None:
        return False
    if not _NUMBER.search(found[1]):
        return True
    try:
        IPv4Address(found[1])
    except AddressValueError:
        return False
    return True


def check_texts(value: Any) -> None:
    """`{"en": {"title": …, "greeting": …, "away": …}, "es": …}`; any of them may be missing."""
    fits = isinstance(value, dict) and all(
        isinstance(texts, dict)
        and all(
            name in TEXTS and isinstance(text, str) and len(text) <= TEXT_LENGTH
            for name, text in texts.items()
        )
        for texts in value.values()
    )
    if not fits:
        raise ValidationError(
            _("Texts are title, greeting and away, for each language."), code="invalid"
        )


class Inbox(models.Model):
    """Where visitors of some sites write to, and its agents answer."""

    # What stands in the page of the site, as `data-inbox`.
    public_id = models.CharField(
        _("public id"), max_length=32, unique=True, default=new_public_id, editable=False
    )
    name = models.CharField(_("name"), max_length=100)
    texts = models.JSONField(_("texts"), default=dict, blank=True, validators=[check_texts])
    colour = models.CharField(
        _("colour"),
        max_length=7,
        default="#2457c5",
        validators=[RegexValidator(r"\A#[0-9a-f]{6}\Z", _("Write it like #2457c5."))],
    )
    # Origins whose pages may show the widget.
    sites = models.JSONField(_("sites"), default=list, blank=True, validators=[check_sites])
    secret = models.CharField(_("secret"), max_length=64, default=new_secret, editable=False)
    automatic = models.BooleanField(_("assign automatically"), default=False)
    # Open conversations of an agent that automatic assignment stops at; null: no limit.
    most = models.PositiveSmallIntegerField(
        _("open conversations an agent, at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
    )
    hours = models.JSONField(_("hours"), default=dict, blank=True, validators=[check_hours])
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("inbox")
        verbose_name_plural = _("inboxes")

    def __str__(self) -> str:
        return plain(self.name) or self.public_id


class Agent(models.Model):
    """Somebody who answers in an inbox."""

    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.CASCADE,
        related_name="agents",
        verbose_name=_("inbox"),
        # The unique index begins with it.
        db_index=False,
    )
    participant = models.ForeignKey(
        Participant,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
        # Who has an account here, or is a bot.
        limit_choices_to={"kind__in": ["member", "bot"]},
    )
    # His own switch: whether conversations are to be assigned to him automatically.
    available = models.BooleanField(_("available"), default=True)
    # Until when he is believed to be connected: his process renews it, as long as he is.
    here_until = models.DateTimeField(_("here until"), null=True, editable=False)
    # When a conversation was last assigned to him automatically: the next is for another.
    served_at = models.DateTimeField(_("last served"), null=True, editable=False)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            models.UniqueConstraint(
                fields=["inbox", "participant"], name="tertulia_support_agent_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.inbox}"


class Visitor(models.Model):
    """Somebody who writes from a site. He belongs to one inbox, for good."""

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, related_name="visitor", verbose_name=_("person")
    )
    inbox = models.ForeignKey(
        Inbox, on_delete=models.PROTECT, related_name="visitors", verbose_name=_("inbox")
    )
    # What the site calls him, where it has signed who he is.
    external_id = models.CharField(_("id at the site"), max_length=200, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(_("e-mail"), max_length=254, blank=True, default="")
    language = models.CharField(_("language"), max_length=10, blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True, default="")
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    # Tokens of another generation are good no longer.
    generation = models.PositiveIntegerField(_("generation of his tokens"), default=0)
    # That the address is his: the site has signed it, or he came by a link that was mailed there.
    email_proved = models.BooleanField(_("e-mail is his"), default=False, db_default=False)

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        constraints = [
            models.UniqueConstraint(
                fields=["inbox", "external_id"], name="tertulia_support_visitor_once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.participant)


class Conversation(models.Model):
    """What a visitor and the agents of an inbox say to each other about one matter."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        SNOOZED = "snoozed", _("snoozed")
        RESOLVED = "resolved", _("resolved")

    room = models.OneToOneField(
        Room, on_delete=models.CASCADE, related_name="conversation", verbose_name=_("room")
    )
    notes = models.OneToOneField(
        Room, on_delete=models.PROTECT, related_name="notes_of", verbose_name=_("notes")
    )
    # No indexes of their own for these: those of the lists begin with them.
    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.PROTECT,
        related_name="conversations",
        verbose_name=_("inbox"),
        db_index=False,
    )
    client = models.ForeignKey(
        Visitor,
        on_delete=models.PROTECT,
        related_name="conversations",
        verbose_name=_("visitor"),
        db_index=False,
    )
    agent = models.ForeignKey(
        Participant,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("agent"),
    )
    # The page from which the visitor wrote last.
    url = models.CharField(_("page"), max_length=2_000, blank=True, default="")
    status = models.CharField(
        _("status"), max_length=8, choices=Status.choices, default=Status.OPEN
    )
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True)
    # Since when the visitor waits for an answer; null: he does not.
    waiting_since = models.DateTimeField(_("waiting since"), null=True)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    first_reply_at = models.DateTimeField(_("first answered"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    last_message_at = models.DateTimeField(_("last message"), default=timezone.now)
    # Of the last message; 0 before the first.
    last_seq = models.BigIntegerField(_("seq of the last message"), default=0)
    # The highest seq that has come to any agent's client, where that is above `read_seq`.
    delivered_seq = models.BigIntegerField(_("delivered up to"), default=0, db_default=0)
    # The highest seq that any agent has read.
    read_seq = models.BigIntegerField(_("read up to"), default=0)
    # The events that made status, agent and inbox what they are. Those of `snoozed` and of the
    # inbox are in the log of the notes.
    status_seq = models.BigIntegerField(_("seq of the status"), default=0)
    agent_seq = models.BigIntegerField(_("seq of the agent"), default=0)
    inbox_seq = models.BigIntegerField(_("seq of the inbox"), default=0)
    rating = models.PositiveSmallIntegerField(
        _("rating"), null=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    rating_text = models.CharField(_("what was said of it"), max_length=1_000, default="")
    rating_seq = models.BigIntegerField(_("seq of the rating"), default=0)
    # Answers by mail, see `mailing/agenda.py`, which changes these without the room's lock. The
    # last answer, and up to which one they were mailed or given up.
    answered_seq = models.BigIntegerField(_("seq of the last answer"), default=0, db_default=0)
    mailed_seq = models.BigIntegerField(_("mailed up to"), default=0, db_default=0)
    # When to look whether a mail is due; null: there is nothing to look at.
    mail_at = models.DateTimeField(_("mail is due"), null=True)
    # Of a mail that could not be sent yet: when that was tried first, and how often.
    mail_since = models.DateTimeField(_("first try"), null=True)
    mail_tries = models.PositiveSmallIntegerField(_("tries"), default=0, db_default=0)
    # What became of the last one, when, and where to.
    mail_state = models.CharField(_("mail"), max_length=6, default="", db_default="")
    mail_state_at = models.DateTimeField(_("mailed"), null=True)
    mail_address = models.CharField(_("mailed to"), max_length=254, default="", db_default="")

    class Meta:
        verbose_name = _("conversation")
        verbose_name_plural = _("conversations")
        indexes = [
            # One for each list of the agents, in its order.
            models.Index(
                fields=["inbox", "status", "-last_message_at", "-id"],
                name="tertulia_support_all",
            ),
            models.Index(
                fields=["inbox", "-last_message_at", "-id"],
                condition=models.Q(status="open", agent__isnull=True),
                name="tertulia_support_unassigned",
            ),
            models.Index(
                fields=["agent", "inbox", "-last_message_at", "-id"],
                condition=models.Q(status="open"),
                name="tertulia_support_mine",
            ),
            models.Index(
                fields=["inbox", "waiting_since", "id"],
                condition=models.Q(status="open", waiting_since__isnull=False),
                name="tertulia_support_waiting",
            ),
            # The visitor's own, the newest of them first.
            models.Index(fields=["client", "-id"], name="tertulia_support_client"),
            # Which are to be woken.
            models.Index(
                fields=["snoozed_until"],
                condition=models.Q(status="snoozed"),
                name="tertulia_support_snoozed",
            ),
            # Of which a mail may be due.
            models.Index(
                fields=["mail_at"],
                condition=models.Q(mail_at__isnull=False),
                name="tertulia_support_mail",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client} · {self.opened_at:%Y-%m-%d}"


class SentMail(models.Model):
    """A mail to a visitor, kept for a day: what an address and an inbox may get is counted."""

    inbox = models.ForeignKey(
        Inbox, on_delete=models.CASCADE, related_name="+", verbose_name=_("inbox"), db_index=False
    )
    visitor = models.ForeignKey(
        Visitor, on_delete=models.CASCADE, related_name="+", verbose_name=_("visitor")
    )
    # In small letters.
    address = models.CharField(_("sent to"), max_length=254)
    at = models.DateTimeField(_("sent"), db_index=True)

    class Meta:
        verbose_name = _("mail to a visitor")
        verbose_name_plural = _("mails to visitors")
        indexes = [
            models.Index(fields=["address", "at"], name="tertulia_support_mail_to"),
            models.Index(fields=["inbox", "at"], name="tertulia_support_mail_of"),
        ]

    def __str__(self) -> str:
        return f"{self.inbox} · {self.at:%Y-%m-%d}"


class NoMail(models.Model):
    """Somebody wants no mails from an inbox; his address is not kept, see `mailing/wishes.py`."""

    inbox = models.ForeignKey(
        Inbox, on_delete=models.CASCADE, related_name="+", verbose_name=_("inbox"), db_index=False
    )
    digest = models.CharField(_("digest of the address"), max_length=64)
    at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("wish for no mails")
        verbose_name_plural = _("wishes for no mails")
        constraints = [
            models.UniqueConstraint(fields=["inbox", "digest"], name="tertulia_support_no_mail"),
        ]

    def __str__(self) -> str:
        return f"{self.inbox} · {self.at:%Y-%m-%d}"


class SearchText(models.Model):
    """The words by which a conversation is found, as `search/words.py` makes them: of a message, of
    a note, or (`seq` 0) of who the visitor is.

    What finds them depends on the database, and is made by hand in the migration: on SQLite by
    triggers of this table, which Django drops where it copies it to change a column.
    """

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("conversation"),
        db_index=False,
    )
    note = models.BooleanField(_("of the notes"))
    seq = models.BigIntegerField(_("seq"))
    words = models.TextField(_("words"))

    class Meta:
        verbose_name = _("words to be found")
        verbose_name_plural = _("words to be found")
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "note", "seq"], name="tertulia_support_search_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} #{self.seq}"


class CannedReply(models.Model):
    """An answer that is ready to be sent, found by its shortcut."""

    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.CASCADE,
        related_name="replies",
        verbose_name=_("inbox"),
        db_index=False,
    )
    shortcut = models.CharField(_("shortcut"), max_length=40)
    text = models.TextField(_("text"), max_length=10_000)

    class Meta:
        verbose_name = _("canned reply")
        verbose_name_plural = _("canned replies")
        constraints = [
            models.UniqueConstraint(
                fields=["inbox", "shortcut"], name="tertulia_support_reply_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shortcut} · {self.inbox}"


class Measure(models.Model):
    """One fact for the figures, written in the transaction that made it so (`measures.py`).

    `inbox` is the one in which the conversation was then, `agent` whose fact it is. Of what took
    time, `seconds` says how long by the clock, `within` how much of it was inside the inbox's hours
    as they were then: whole seconds, rounded down. `value` is that of a rating, from 1 to 5.
    """

    class Kind(models.TextChoices):
        # A conversation has begun; one that was resolved is open again. Nobody's.
        OPENED = "opened", _("opened")
        REOPENED = "reopened", _("reopened")
        # From the visitor's first message to the first message of an agent after it: once for a
        # conversation, his who answered.
        FIRST_ANSWER = "first_answer", _("first answer")
        # From the first message of the visitor that nobody has answered to the next of an agent.
        # First answers are among them. Who is resolved without an answer has got none.
        ANSWER = "answer", _("answer")
        # From the opening, or the last reopening, until somebody resolved it: as often as that is
        # done, his who did it.
        RESOLUTION = "resolution", _("resolution")
        # The last of a conversation, at its time; his whose the conversation was then, or, where it
        # was nobody's, his who answered last.
        RATING = "rating", _("rating")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    inbox = models.ForeignKey(
        Inbox,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("inbox"),
        # The index of the figures begins with it.
        db_index=False,
    )
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="measures",
        verbose_name=_("conversation"),
    )
    agent = models.ForeignKey(
        Participant,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("agent"),
    )
    at = models.DateTimeField(_("time"))
    seconds = models.PositiveIntegerField(_("seconds"), null=True)
    within = models.PositiveIntegerField(_("seconds within the hours"), null=True)
    value = models.PositiveSmallIntegerField(_("rating"), null=True)

    class Meta:
        verbose_name = _("measure")
        verbose_name_plural = _("measures")
        indexes = [
            # With all that the figures ask for: the rows themselves are not looked at.
            models.Index(
                fields=["inbox", "at", "kind", "agent", "seconds", "within", "value"],
                name="tertulia_support_figures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.at:%Y-%m-%d %H:%M}"
