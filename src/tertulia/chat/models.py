"""The chat's tables.

Only `chat/log.py` writes `Room.head`, `Room.messages`, `Event` and the numbering of
`Message`; it does so under the room's lock, in the transaction that commits the event.
"""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .mailing.models import MailedLink
from .shown import plain

SLUG_LENGTH = 80
# The folded name of who is found by none: no name, and nothing behind an @, holds it.
NOT_FOUND = "\n"


def new_public_id() -> str:
    """128 random bits in hexadecimal: an id that nobody can guess."""
    return secrets.token_hex(16)


def new_epoch() -> str:
    """A name for this history; another one tells every client to load afresh."""
    return secrets.token_hex(8)


class Installation(models.Model):
    """The one row that says which history this database holds."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.CharField(_("epoch"), max_length=32, default=new_epoch)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installation")

    def __str__(self) -> str:
        return self.epoch


class Participant(models.Model):
    """One per person in the chat; everything else refers to this, never to the user."""

    class Kind(models.TextChoices):
        MEMBER = "member", _("member")
        GUEST = "guest", _("guest")
        BOT = "bot", _("bot")
        VISITOR = "visitor", _("visitor")

    public_id = models.CharField(
        _("public id"), max_length=32, unique=True, default=new_public_id, editable=False
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="participant",
        verbose_name=_("account"),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.MEMBER)
    name = models.CharField(_("name"), max_length=150)
    name_fold = models.CharField(_("folded name"), max_length=300, db_index=True, editable=False)
    # The address of the picture, as it goes over the wire; null: the page shows initials.
    avatar = models.CharField(_("address of the picture"), max_length=300, null=True, blank=True)  # noqa: DJ001 (null on the wire)
    # The file behind it where it was uploaded here: its name in the default storage.
    picture = models.CharField(_("picture"), max_length=100, blank=True, default="", db_default="")
    # The person's own choice; blank: what the browser asks for.
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
    time_zone = models.CharField(
        _("time zone"), max_length=60, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        # Each picture that is served is asked for by its name.
        indexes = [models.Index(fields=["picture"], name="tertulia_by_picture")]

    def __str__(self) -> str:
        return plain(self.name) or self.public_id

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep `name_fold`, by which people are found and mentioned, in step with `name`.

        Nobody finds a visitor by his name: there may be thousands of the same.
        """
        from .slugs import fold

        visitor = self.kind == self.Kind.VISITOR
        self.name_fold = NOT_FOUND if visitor else fold(self.name)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Token(models.Model):
    """A bearer token; only the SHA-256 of it is kept."""

    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="tokens", verbose_name=_("person")
    )
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")

    def __str__(self) -> str:
        return f"{self.participant} {self.created_at:%Y-%m-%d}"


# Fields of a room that only the log moves.
OF_THE_LOG = frozenset({"head", "messages", "name_seq", "topic_seq", "archived_seq"})


class Room(models.Model):
    """A room and the two counters of its log; its row is the lock of the log."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")
        DIRECT = "direct", _("direct")
        SUPPORT = "support", _("support")

    slug = models.CharField(_("address"), max_length=SLUG_LENGTH, unique=True, editable=False)
    # NFKC and casefold can lengthen a slug up to eighteenfold (U+FDFA).
    slug_fold = models.CharField(
        _("folded address"), max_length=SLUG_LENGTH * 18, unique=True, editable=False
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PUBLIC)
    name = models.CharField(_("name"), max_length=200, blank=True)
    topic = models.CharField(_("topic"), max_length=1000, blank=True)
    archived = models.BooleanField(_("archived"), default=False)
    head = models.BigIntegerField(_("head of the log"), default=0, editable=False)
    messages = models.BigIntegerField(_("messages"), default=0, editable=False)
    # The events that made name, topic and archived what they are; 0: they are as at first.
    name_seq = models.BigIntegerField(_("seq of its name"), default=0, db_default=0, editable=False)
    topic_seq = models.BigIntegerField(
        _("seq of its topic"), default=0, db_default=0, editable=False
    )
    archived_seq = models.BigIntegerField(
        _("seq of its archive"), default=0, db_default=0, editable=False
    )
    # SHA-256 over the sorted public ids of a direct room's people: the same people, the same room.
    people_key = models.CharField(  # noqa: DJ001
        _("key of its people"), max_length=64, null=True, unique=True, editable=False
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return plain(self.name) or self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """What the log counts is written by the log alone: a host that changes a room which it has
        read some time ago must not put its counters back."""
        is_there = self.pk is not None and not self._state.adding
        told_how = args or kwargs.get("force_insert") or kwargs.get("update_fields") is not None
        if is_there and not told_how:
            kept = self.get_deferred_fields() | OF_THE_LOG
            names = (field.attname for field in self._meta.concrete_fields if not field.primary_key)
            kwargs["update_fields"] = [name for name in names if name not in kept]
        super().save(*args, **kwargs)


class RoomKey(models.Model):
    """What a `room.create` led to; its key gives the same room again."""

    # No index of its own here and below: a unique one begins with this column.
    participant = models.ForeignKey(
        Participant,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("person"),
        db_index=False,
    )
    key = models.UUIDField(_("key"))
    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="+", verbose_name=_("room")
    )

    class Meta:
        verbose_name = _("key of a new room")
        verbose_name_plural = _("keys of new rooms")
        constraints = [
            models.UniqueConstraint(fields=["participant", "key"], name="tertulia_room_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key}"


class Membership(models.Model):
    """One row for each person who is or was a member; `left_seq` is null while he is."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    room = models.ForeignKey(
        Room,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("room"),
        db_index=False,
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=9, choices=Role.choices, default=Role.MEMBER)
    role_seq = models.BigIntegerField(_("seq of the role"), default=0, editable=False)
    joined_seq = models.BigIntegerField(_("joined at"), default=0, editable=False)
    left_seq = models.BigIntegerField(_("left at"), null=True, editable=False)
    read_seq = models.BigIntegerField(_("read up to"), default=0, editable=False)
    # The highest message number at or below read_seq: unread = room.messages - read_number.
    read_number = models.BigIntegerField(_("messages read"), default=0, editable=False)
    # Kept at the top of this person's list of rooms.
    favourite = models.BooleanField(_("favourite"), default=False, db_default=False)

    class Meta:
        verbose_name = _("member of a room")
        verbose_name_plural = _("members of rooms")
        constraints = [
            models.UniqueConstraint(fields=["room", "participant"], name="tertulia_membership"),
        ]
        indexes = [
            # Which rooms are mine, in a steady order for paging.
            models.Index(
                fields=["participant", "id"],
                condition=models.Q(left_seq__isnull=True),
                name="tertulia_my_rooms",
            ),
            models.Index(
                fields=["room", "id"],
                condition=models.Q(left_seq__isnull=True),
                name="tertulia_room_members",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.room}"


class RoomInvitation(MailedLink):
    """A link that lets whoever has it become a member of a room; only its hash is kept.

    One that was sent by mail admits one person.
    """

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("room")
    )
    created_by = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="+", verbose_name=_("made by")
    )
    digest = models.CharField(_("SHA-256"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("good until"))
    revoked_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    # The room's head when it was made: whoever is removed later does not come back by it.
    head = models.BigIntegerField(_("head when it was made"), default=0, editable=False)
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)

    class Meta:
        verbose_name = _("link into a room")
        verbose_name_plural = _("links into rooms")

    def __str__(self) -> str:
        return f"{self.room} {self.expires_at:%Y-%m-%d}"


class Event(models.Model):
    """One line of a room's log. It holds no text: `subject` is the seq of a message."""

    room = models.ForeignKey(
        Room,
        on_delete=models.CASCADE,
        related_name="events",
        verbose_name=_("room"),
        db_index=False,
    )
    seq = models.BigIntegerField(_("seq"))
    kind = models.CharField(_("kind"), max_length=32)
    actor = models.ForeignKey(
        Participant,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("actor"),
        db_index=False,
    )
    # message.*, reaction.*: the message's seq. member.*: the member's primary key.
    subject = models.BigIntegerField(_("subject"), null=True)
    data = models.JSONField(_("data"), null=True)
    at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="tertulia_event_seq")]

    def __str__(self) -> str:
        return f"{self.room} #{self.seq} {self.kind}"


class Message(models.Model):
    """The present state of a message; a deleted one keeps its place without its text."""

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="+", verbose_name=_("room"), db_index=False
    )
    seq = models.BigIntegerField(_("seq"))
    number = models.BigIntegerField(_("number"))
    version = models.BigIntegerField(_("version"))
    # The event that made the text what it is: the creation, the last edit or the deletion.
    content_seq = models.BigIntegerField(_("seq of the text"))
    author = models.ForeignKey(
        Participant,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("author"),
        db_index=False,
    )
    author_name = models.CharField(_("the author’s name then"), max_length=150)
    key = models.UUIDField(_("key"), default=uuid.uuid4)
    text = models.TextField(_("text"), blank=True)
    html = models.TextField(_("HTML"), blank=True)
    renderer = models.PositiveSmallIntegerField(_("renderer"), default=0)
    reply_to = models.BigIntegerField(_("answers"), null=True)
    sent_at = models.DateTimeField(_("sent"))
    edited_at = models.DateTimeField(_("edited"), null=True)
    deleted = models.BooleanField(_("deleted"), default=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="tertulia_message_seq"),
            models.UniqueConstraint(fields=["author", "key"], name="tertulia_message_key"),
        ]

    def __str__(self) -> str:
        return f"{self.room} #{self.seq}"


class Reaction(models.Model):
    """One person's one emoji on one message; kept when taken back, to answer a repeat."""

    message = models.ForeignKey(
        Message,
        on_delete=models.CASCADE,
        related_name="reactions",
        verbose_name=_("message"),
        db_index=False,
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    emoji = models.CharField(_("emoji"), max_length=64)
    active = models.BooleanField(_("active"), default=True)
    # The event that added or took back this reaction.
    seq = models.BigIntegerField(_("seq"))

    class Meta:
        verbose_name = _("reaction")
        verbose_name_plural = _("reactions")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "participant", "emoji"], name="tertulia_reaction"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emoji} {self.participant}"


class Mention(models.Model):
    """Somebody named in a message, and whether he has read it."""

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="+", verbose_name=_("room"), db_index=False
    )
    seq = models.BigIntegerField(_("message"))
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    read = models.BooleanField(_("read"), default=False)

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [
            models.UniqueConstraint(fields=["room", "seq", "participant"], name="tertulia_mention"),
        ]
        indexes = [
            models.Index(
                fields=["participant", "room", "seq"],
                condition=models.Q(read=False),
                name="tertulia_unread_mentions",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room} #{self.seq} @{self.participant}"


class AccessChange(models.Model):
    """What the sweep of every process must hear of, even when the layer is away.

    A changed profile is here too: open sockets speak under the new name. Rows are only ever
    added; they are pruned after a day.
    """

    class Kind(models.TextChoices):
        SIGNED_OUT = "signed_out", _("signed out")
        SIGN_IN = "sign_in", _("ways to sign in changed")
        ENTERED = "entered", _("entered a room")
        LEFT = "left", _("left a room")
        ROOM = "room", _("access to a room changed")
        PROFILE = "profile", _("name or picture changed")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    participant = models.ForeignKey(
        Participant, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    room = models.ForeignKey(
        Room, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("room")
    )
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("change of access")
        verbose_name_plural = _("changes of access")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M:%S}"
