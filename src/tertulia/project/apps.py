"""The ready-made site's place in Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectConfig(AppConfig):
    """Accounts, invitations and the first run."""

    name = "tertulia.project"
    label = "tertulia_project"
    verbose_name = _("People and invitations")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the folded names in step with the accounts, whoever writes them."""
        from .accounts import names

        names.connect()
