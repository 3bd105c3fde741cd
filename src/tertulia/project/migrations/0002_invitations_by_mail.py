"""Invitations to the site that were sent by mail, by themselves or with one to a room."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_project", "0001_initial"),
        ("tertulia_chat", "0003_invitations_by_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="address",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=254,
                verbose_name="sent to",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="delivery",
            field=models.CharField(
                blank=True,
                choices=[("waiting", "on its way"), ("sent", "sent"), ("failed", "not sent")],
                db_default="",
                default="",
                editable=False,
                max_length=10,
                verbose_name="mail",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="for_room",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tertulia_chat.roominvitation",
            ),
        ),
    ]
