"""Answers by mail: what is due of a conversation, what was sent, and who wants none."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tertulia_support", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="visitor",
            name="email_proved",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="e-mail is his"
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="answered_seq",
            field=models.BigIntegerField(
                db_default=0, default=0, verbose_name="seq of the last answer"
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mailed_seq",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="mailed up to"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_at",
            field=models.DateTimeField(null=True, verbose_name="mail is due"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_since",
            field=models.DateTimeField(null=True, verbose_name="first try"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_tries",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="tries"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_state",
            field=models.CharField(db_default="", default="", max_length=6, verbose_name="mail"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_state_at",
            field=models.DateTimeField(null=True, verbose_name="mailed"),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mail_address",
            field=models.CharField(
                db_default="", default="", max_length=254, verbose_name="mailed to"
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("mail_at__isnull", False)),
                fields=["mail_at"],
                name="tertulia_support_mail",
            ),
        ),
        migrations.CreateModel(
            name="SentMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.CharField(max_length=254, verbose_name="sent to")),
                ("at", models.DateTimeField(db_index=True, verbose_name="sent")),
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
                (
                    "visitor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tertulia_support.visitor",
                        verbose_name="visitor",
                    ),
                ),
            ],
            options={
                "verbose_name": "mail to a visitor",
                "verbose_name_plural": "mails to visitors",
                "indexes": [
                    models.Index(fields=["address", "at"], name="tertulia_support_mail_to"),
                    models.Index(fields=["inbox", "at"], name="tertulia_support_mail_of"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NoMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="digest of the address")),
                (
                    "at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="since"),
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
                "verbose_name": "wish for no mails",
                "verbose_name_plural": "wishes for no mails",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("inbox", "digest"), name="tertulia_support_no_mail"
                    )
                ],
            },
        ),
    ]
