"""Name, topic and archive of a room have a seq each: an update that changes nothing answers with the
event that made it so, and not with the last one of any of them."""

from __future__ import annotations

from django.db import migrations, models

FIELDS = {"name": "name", "topic": "topic", "archived": "archive"}
_SPREAD = (
    "UPDATE tertulia_chat_room SET name_seq = state_seq, topic_seq = state_seq,"
    " archived_seq = state_seq"
)


class Migration(migrations.Migration):
    dependencies = [("tertulia_chat", "0006_event_actor")]

    operations = [
        *(
            migrations.AddField(
                model_name="room",
                name=f"{field}_seq",
                field=models.BigIntegerField(
                    db_default=0, default=0, editable=False, verbose_name=f"seq of its {label}"
                ),
            )
            for field, label in FIELDS.items()
        ),
        # Which of them it was is not known any more.
        migrations.RunSQL(_SPREAD, "UPDATE tertulia_chat_room SET state_seq = name_seq"),
        migrations.RemoveField(model_name="room", name="state_seq"),
    ]
