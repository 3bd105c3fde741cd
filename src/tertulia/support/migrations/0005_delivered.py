from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tertulia_support", "0004_figures"),
    ]

    operations = [
        migrations.AddField(
            model_name="conversation",
            name="delivered_seq",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="delivered up to"),
        ),
    ]
