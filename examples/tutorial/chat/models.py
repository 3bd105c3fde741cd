"""What is kept: messages, and the rooms in which a client and an agent talk."""

from django.conf import settings
from django.db import models, transaction


class Message(models.Model):
    """One message. `sentBy` is the author's name as it was; `created_By` his account, if any."""

    body = models.TextField()
    sentBy = models.CharField(max_length=255)
    createdAt = models.DateTimeField(auto_now_add=True)
    created_By = models.ForeignKey(
        settings.AUTH_USER_MODEL, blank=True, null=True, on_delete=models.SET_NULL
    )

    class Meta:
        # Two messages may have the same time.
        ordering = ("createdAt", "id")

    def __str__(self) -> str:
        return self.sentBy


class Room(models.Model):
    """A conversation. `client` is whoever spoke first in it, `agent` the staff who answered."""

    client = models.CharField(max_length=255)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="rooms",
        blank=True,
        null=True,
        on_delete=models.SET_NULL,
    )
    messages = models.ManyToManyField(Message, blank=True)
    # Unique, so that two who speak first at the same moment open one room.
    url = models.CharField(max_length=255, blank=True, null=True, unique=True)
    createdAt = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("createdAt",)

    def __str__(self) -> str:
        return self.client


def store(url: str, user, event: dict[str, str]) -> None:
    """Keep what was said in the room at `url`; the room comes into being with its first message."""
    username = event["username"]
    with transaction.atomic():
        room, _ = Room.objects.get_or_create(url=url, defaults={"client": username})
        room.messages.create(
            body=event["message"],
            sentBy=username,
            created_By=user if user.is_authenticated else None,
        )
        if room.agent is None and user.is_staff and room.client != username:
            room.agent = user
            room.save(update_fields=["agent"])
