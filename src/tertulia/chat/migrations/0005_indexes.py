"""Indexes that say less than a unique one beside them are dropped: they cost every message that
is written, and SQLite, which has no statistics, took them where they mean reading a whole room."""

from __future__ import annotations

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


def drop(apps: Any, schema_editor: Any) -> None:
    """By hand: to change a field Django copies the whole table on SQLite."""
    connection = schema_editor.connection
    for model_name, field_name in NEEDLESS:
        model = apps.get_model("tertulia_chat", model_name)
        table, column = model._meta.db_table, model._meta.get_field(field_name).column
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, table)
        for name, about in found.items():
            alone = about["index"] and not about["unique"] and not about["primary_key"]
            if alone and about["columns"] == [column]:
                schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


def make_again(apps: Any, schema_editor: Any) -> None:
    """The way back."""
    for model_name, field_name in NEEDLESS:
        model = apps.get_model("tertulia_chat", model_name)
        field = model._meta.get_field(field_name)
        schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))


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

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make_again)],
            state_operations=[_without_index(model, field) for model, field in NEEDLESS],
        ),
        migrations.RemoveIndex(model_name="mention", name="tertulia_mention_unread"),
        # With the seq: what is read up to a place is found without reading what comes after.
        migrations.AddIndex(
            model_name="mention",
            index=models.Index(
                condition=models.Q(("read", False)),
                fields=["participant", "room", "seq"],
                name="tertulia_unread_mentions",
            ),
        ),
    ]
