"""The measures, and what the logs tell of those of conversations that are there already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from tertulia.support.hours import time_within

KINDS = [
    ("opened", "opened"),
    ("reopened", "reopened"),
    ("first_answer", "first answer"),
    ("answer", "answer"),
    ("resolution", "resolution"),
    ("rating", "rating"),
]
BATCH = 1_000


def fill(apps: Any, schema_editor: Any) -> None:
    """What would have been written while it happened."""
    database = schema_editor.connection.alias
    Measure = apps.get_model("tertulia_support", "Measure")
    Conversation = apps.get_model("tertulia_support", "Conversation")
    made: list[Any] = []
    found = Conversation.objects.using(database).select_related("inbox", "client").order_by("pk")
    for conversation in found.iterator(chunk_size=BATCH):
        made += _Past(apps, database, conversation).measures()
        if len(made) >= BATCH:
            Measure.objects.using(database).bulk_create(made)
            made = []
    Measure.objects.using(database).bulk_create(made)


class _Past:
    """One conversation, lived through again."""

    def __init__(self, apps: Any, database: str, conversation: Any) -> None:
        self.Measure = apps.get_model("tertulia_support", "Measure")
        self.Inbox = apps.get_model("tertulia_support", "Inbox")
        self.Event = apps.get_model("tertulia_chat", "Event")
        self.Message = apps.get_model("tertulia_chat", "Message")
        self.database = database
        self.conversation = conversation
        self.inbox = conversation.inbox
        self.begun = conversation.opened_at
        # The visitor's first message, and the first of his that nobody has answered.
        self.asked: Any = None
        self.waiting: Any = None
        self.is_answered = False
        # Whose it is, and who answered last.
        self.agent: int | None = None
        self.answerer: int | None = None
        self.made: list[Any] = []
        self.rating: Any = None

    def measures(self) -> list[Any]:
        for row in self._rows():
            if hasattr(row, "author_id"):
                self._said(row.author_id, row.sent_at)
            else:
                self._changed(row)
        return self.made + ([self.rating] if self.rating else [])

    def _rows(self) -> Iterator[Any]:
        """Messages and changes in the order of the log; before each, how it was moved till then."""
        room = self.conversation.room_id
        changes = self._events(room)
        messages = self.Message.objects.using(self.database).filter(room=room).defer("text", "html")
        rows = sorted([*messages, *changes], key=lambda row: row.seq)
        moved = [row for row in self._events(self.conversation.notes_id) if _is(row, "transferred")]
        for row in rows:
            at = getattr(row, "sent_at", None) or row.at
            while moved and moved[0].at <= at:
                yield moved.pop(0)
            yield row

    def _events(self, room: int) -> list[Any]:
        events = self.Event.objects.using(self.database)
        return list(events.filter(room=room, kind="conversation.changed").order_by("seq"))

    def _said(self, author: int, at: Any) -> None:
        if author == self.conversation.client.participant_id:
            self.asked = self.asked or at
            self.waiting = self.waiting or at
            return
        first = bool(self.asked) and not self.is_answered
        self.is_answered = self.is_answered or first
        if self.waiting:
            self.answerer = author
            if first:
                self._add("first_answer", at, author, self.asked)
            self._add("answer", at, author, self.waiting)
        self.waiting = None

    def _changed(self, row: Any) -> None:
        data = row.data or {}
        if data.get("inbox") not in (None, self.inbox.public_id):
            inboxes = self.Inbox.objects.using(self.database)
            self.inbox = inboxes.filter(public_id=data["inbox"]).first() or self.inbox
        if row.room_id != self.conversation.room_id:
            return
        self.agent = row.subject
        if _is(row, "opened") or _is(row, "reopened"):
            self.begun = row.at
            self._add(data["change"], row.at)
        elif _is(row, "resolved"):
            self.waiting = None
            self._add("resolution", row.at, row.actor_id, self.begun)
        elif _is(row, "rated"):
            agent = self.agent or self.answerer
            self.rating = self._measure("rating", row.at, agent, value=data["rating"])

    def _add(self, *told: Any) -> None:
        self.made.append(self._measure(*told))

    def _measure(
        self, kind: str, at: Any, agent: int | None = None, since: Any = None, **more: Any
    ) -> Any:
        if since is not None:
            inside = time_within(self.inbox.hours, since, at)
            more["seconds"] = max(0, int((at - since).total_seconds()))
            more["within"] = int(inside.total_seconds())
        return self.Measure(
            kind=kind,
            inbox_id=self.inbox.pk,
            conversation_id=self.conversation.pk,
            agent_id=agent,
            at=at,
            **more,
        )


def _is(row: Any, change: str) -> bool:
    return (row.data or {}).get("change") == change


class Migration(migrations.Migration):
    dependencies = [("tertulia_support", "0003_search")]

    operations = [
        migrations.CreateModel(
            name="Measure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=12, verbose_name="kind")),
                ("at", models.DateTimeField(verbose_name="time")),
                ("seconds", models.PositiveIntegerField(null=True, verbose_name="seconds")),
                (
                    "within",
                    models.PositiveIntegerField(null=True, verbose_name="seconds within the hours"),
                ),
                ("value", models.PositiveSmallIntegerField(null=True, verbose_name="rating")),
                (
                    "agent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="tertulia_chat.participant",
                        verbose_name="agent",
                    ),
                ),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="measures",
                        to="tertulia_support.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "inbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tertulia_support.inbox",
                        verbose_name="inbox",
                    ),
                ),
            ],
            options={
                "verbose_name": "measure",
                "verbose_name_plural": "measures",
                "indexes": [
                    models.Index(
                        fields=["inbox", "at", "kind", "agent", "seconds", "within", "value"],
                        name="tertulia_support_figures",
                    )
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
