"""What conversations are found by, and with it all that has been said before."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from tertulia.support.search import index


def make(apps: Any, schema_editor: Any) -> None:
    """What the database needs, and the words of all conversations that are there."""
    index.create(schema_editor.connection)
    index.fill(schema_editor.connection)


def take_away(apps: Any, schema_editor: Any) -> None:
    """The way back; the table goes with its model."""
    index.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("tertulia_support", "0002_mail")]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("note", models.BooleanField(verbose_name="of the notes")),
                ("seq", models.BigIntegerField(verbose_name="seq")),
                ("words", models.TextField(verbose_name="words")),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tertulia_support.conversation",
                        verbose_name="conversation",
                    ),
                ),
            ],
            options={
                "verbose_name": "words to be found",
                "verbose_name_plural": "words to be found",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversation", "note", "seq"), name="tertulia_support_search_once"
                    )
                ],
            },
        ),
        migrations.RunPython(make, take_away),
    ]
