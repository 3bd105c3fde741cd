"""The chat's tables.

Only `chat/log.py` writes `Room.head`, `Room.messages`, `Event` and the numbering of
`Message`; it does so under the room's lock, in the transaction that commits the event.
"""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SLUG_LENGTH = 80


def new_public_id() -> str:
    """128 random bits in hexadecimal: an id that nobody can guess."""
    return secrets.token_hex(16)


def new_epoch() -> str:
    """A name for this history; another one tells every client to load afresh."""
    return secrets.token_hex(8)


class Installation(models.Model):
    """The one row that says which history this database holds."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.CharField(max_length=32, default=new_epoch)

    def __str__(self) -> str:
        return self.epoch


class Participant(models.Model):
    """One per person in the chat; everything else refers to this, never to the user."""

    class Kind(models.TextChoices):
        MEMBER = "member", _("member")
        GUEST = "guest", _("guest")
        BOT = "bot", _("bot")
        VISITOR = "visitor", _("visitor")

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="participant",
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.MEMBER)
    name = models.CharField(max_length=150)
    name_fold = models.CharField(max_length=300, db_index=True, editable=False)
    # The address of the picture, as it goes over the wire; null: the page shows initials.
    avatar = models.CharField(max_length=300, null=True, blank=True)  # noqa: DJ001 (null on the wire)
    # The file behind it where it was uploaded here: its name in the default storage.
    picture = models.CharField(max_length=100, blank=True, default="", db_default="")
    # The person's own choice; blank: what the browser asks for.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")
    time_zone = models.CharField(max_length=60, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        # Each picture that is served is asked for by its name.
        indexes = [models.Index(fields=["picture"], name="tertulia_by_picture")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep `name_fold`, by which people are found and mentioned, in step with `name`."""
        from .slugs import fold

        self.name_fold = fold(self.name)
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class Token(models.Model):
    """A bearer token; only the SHA-256 of it is kept."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="tokens")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.participant} {self.created_at:%Y-%m-%d}"


class Room(models.Model):
    """A room and the two counters of its log; its row is the lock of the log."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")
        DIRECT = "direct", _("direct")
        SUPPORT = "support", _("support")

    slug = models.CharField(max_length=SLUG_LENGTH, unique=True, editable=False)
    # NFKC and casefold can lengthen a slug up to eighteenfold (U+FDFA).
    slug_fold = models.CharField(max_length=SLUG_LENGTH * 18, unique=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.PUBLIC)
    name = models.CharField(max_length=200, blank=True)
    topic = models.CharField(max_length=1000, blank=True)
    archived = models.BooleanField(default=False)
    head = models.BigIntegerField(default=0, editable=False)
    messages = models.BigIntegerField(default=0, editable=False)
    # The event that made name, topic and archived what they are; 0 before any event.
    state_seq = models.BigIntegerField(default=0, editable=False)
    # SHA-256 over the sorted public ids of a direct room's people: the same people, the same room.
    people_key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name or self.slug


class RoomKey(models.Model):
    """What a `room.create` led to; its key gives the same room again."""

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    key = models.UUIDField()
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")

    class Meta:
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

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="memberships")
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=9, choices=Role.choices, default=Role.MEMBER)
    role_seq = models.BigIntegerField(default=0, editable=False)
    joined_seq = models.BigIntegerField(default=0, editable=False)
    left_seq = models.BigIntegerField(null=True, editable=False)
    read_seq = models.BigIntegerField(default=0, editable=False)
    # The highest message number at or below read_seq: unread = room.messages - read_number.
    read_number = models.BigIntegerField(default=0, editable=False)
    # Kept at the top of this person's list of rooms.
    favourite = models.BooleanField(default=False, db_default=False)

    class Meta:
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
        return f"{self.participant} in {self.room}"


class RoomInvitation(models.Model):
    """A link that lets whoever has it become a member of a room; only its hash is kept."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="invitations")
    created_by = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The room's head when it was made: whoever is removed later does not come back by it.
    head = models.BigIntegerField(default=0, editable=False)
    uses = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return f"{self.room} {self.expires_at:%Y-%m-%d}"


class Event(models.Model):
    """One line of a room's log. It holds no text: `subject` is the seq of a message."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="+")
    # message.*, reaction.*: the message's seq. member.*: the member's primary key.
    subject = models.BigIntegerField(null=True)
    data = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="tertulia_event_seq")]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} {self.kind}"


class Message(models.Model):
    """The present state of a message; a deleted one keeps its place without its text."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    seq = models.BigIntegerField()
    number = models.BigIntegerField()
    version = models.BigIntegerField()
    # The event that made the text what it is: the creation, the last edit or the deletion.
    content_seq = models.BigIntegerField()
    author = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="+")
    author_name = models.CharField(max_length=150)
    key = models.UUIDField(default=uuid.uuid4)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    renderer = models.PositiveSmallIntegerField(default=0)
    reply_to = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="tertulia_message_seq"),
            models.UniqueConstraint(fields=["author", "key"], name="tertulia_message_key"),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq}"


class Reaction(models.Model):
    """One person's one emoji on one message; kept when taken back, to answer a repeat."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reactions")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=64)
    active = models.BooleanField(default=True)
    # The event that added or took back this reaction.
    seq = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "participant", "emoji"], name="tertulia_reaction"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emoji} {self.participant_id}"


class Mention(models.Model):
    """Somebody named in a message, and whether he has read it."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    seq = models.BigIntegerField()
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    read = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "seq", "participant"], name="tertulia_mention"),
        ]
        indexes = [
            models.Index(
                fields=["participant", "room"],
                condition=models.Q(read=False),
                name="tertulia_mention_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}/{self.seq} @{self.participant_id}"


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

    kind = models.CharField(max_length=10, choices=Kind.choices)
    participant = models.ForeignKey(
        Participant, null=True, on_delete=models.CASCADE, related_name="+"
    )
    room = models.ForeignKey(Room, null=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.participant_id} {self.room_id}"
