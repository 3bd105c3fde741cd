"""What invitations are called in the administration; nothing changes in the database."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tertulia_project", "0002_invitations_by_mail")]

    operations = [
        migrations.AlterModelOptions(
            name="invitation",
            options={
                "verbose_name": "link that makes accounts",
                "verbose_name_plural": "links that make accounts",
            },
        ),
    ]
