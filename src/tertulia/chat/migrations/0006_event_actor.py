"""The index of events by their actor goes: nothing reads by it, and each writer's next event
went to a page of its own, which every commit had to write again."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def drop(apps: Any, schema_editor: Any) -> None:
    """By hand: to change a field Django copies the whole table on SQLite."""
    schema_editor.execute(f'DROP INDEX IF EXISTS "{_name(apps, schema_editor)}"')


def make(apps: Any, schema_editor: Any) -> None:
    """The way back."""
    schema_editor.execute(
        f'CREATE INDEX IF NOT EXISTS "{_name(apps, schema_editor)}"'
        " ON tertulia_chat_event (actor_id)"
    )


def _name(apps: Any, schema_editor: Any) -> str:
    event = apps.get_model("tertulia_chat", "Event")
    name: str = schema_editor._create_index_name(event._meta.db_table, ["actor_id"])
    return name


class Migration(migrations.Migration):
    dependencies = [("tertulia_chat", "0005_indexes")]

    atomic = False
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(drop, make, atomic=False)],
            state_operations=[
                migrations.AlterField(
                    model_name="event",
                    name="actor",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tertulia_chat.participant",
                        verbose_name="actor",
                    ),
                )
            ],
        ),
    ]
