"""Invitations to rooms that were sent by mail: whom to, and how far the mail has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tertulia_chat", "0002_profile_favourites_invitations")]

    operations = [
        migrations.AddField(
            model_name="roominvitation",
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
            model_name="roominvitation",
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
    ]
