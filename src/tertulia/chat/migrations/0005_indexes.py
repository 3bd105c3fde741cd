"""Indexes that say less than a unique one beside them are dropped: they cost every message that
is written, and SQLite, which has no statistics, took them where they mean reading a whole room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

# Each begins a unique constraint of its table.
NEEDLESS = [
    ("RoomKey", "participant"),
    ("Membership", "room"),
    ("Event", "room"),
    ("Message", "room"),
    ("Message", "author"),
    ("Reaction", "message"),
    ("Mention", "room"),
]
TO = {"room": "Room", "participant": "Participant", "author": "Participant", "message": "Message"}
RELATED = {
    ("Membership", "room"): "memberships",
    ("Event", "room"): "events",
    ("Reaction", "message"): "reactions",
}
NAMES = {"room": "room", "participant": "person", "author": "author", "message": "message"}


UNREAD = "tertulia_mention_unread"
UNREAD_TO = "tertulia_unread_mentions"
MENTIONS = "tertulia_chat_mention"


def rearrange(apps: Any, schema_editor: Any) -> None:
    """By hand: to change a field Django copies the whole table on SQLite.

    Each statement is a transaction of its own, and may be carried out twice: no table is locked
    while another waits, and what was broken off goes on.
    """
    _make(schema_editor, UNREAD_TO, MENTIONS, "participant_id, room_id, seq", "NOT read")
    _drop(schema_editor, UNREAD)
    for table, column in _needless(apps):
        _drop(schema_editor, schema_editor._create_index_name(table, [column]))


def rearrange_back(apps: Any, schema_editor: Any) -> None:
    """The way back."""
    for table, column in _needless(apps):
        _make(schema_editor, schema_editor._create_index_name(table, [column]), table, column)
    _make(schema_editor, UNREAD, MENTIONS, "participant_id, room_id", "NOT read")
    _drop(schema_editor, UNREAD_TO)


def _needless(apps: Any) -> Iterator[tuple[str, str]]:
    """Table and column of each."""
    for model_name, field_name in NEEDLESS:
        meta = apps.get_model("tertulia_chat", model_name)._meta
        yield meta.db_table, meta.get_field(field_name).column


def _make(schema_editor: Any, name: str, table: str, columns: str, condition: str = "") -> None:
    where = f" WHERE {condition}" if condition else ""
    schema_editor.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" ({columns}){where}')


def _drop(schema_editor: Any, name: str) -> None:
    schema_editor.execute(f'DROP INDEX IF EXISTS "{name}"')


def _without_index(model: str, field: str) -> migrations.AlterField:
    protected = field == "author"
    return migrations.AlterField(
        model_name=model.lower(),
        name=field,
        field=models.ForeignKey(
            db_index=False,
            on_delete=django.db.models.deletion.PROTECT
            if protected
            else django.db.models.deletion.CASCADE,
            related_name=RELATED.get((model, field), "+"),
            to=f"tertulia_chat.{TO[field]}",
            verbose_name=NAMES[field],
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("tertulia_chat", "0004_verbose_names")]

    atomic = False
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(rearrange, rearrange_back, atomic=False)],
            state_operations=[
                *(_without_index(model, field) for model, field in NEEDLESS),
                migrations.RemoveIndex(model_name="mention", name=UNREAD),
                # With the seq: what is read up to a place is found without reading what follows.
                migrations.AddIndex(
                    model_name="mention",
                    index=models.Index(
                        condition=models.Q(("read", False)),
                        fields=["participant", "room", "seq"],
                        name=UNREAD_TO,
                    ),
                ),
            ],
        ),
    ]
