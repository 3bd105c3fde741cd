"""The app's place in Django."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    """`INSTALLED_APPS += ["tertulia.chat"]`."""

    name = "tertulia.chat"
    label = "tertulia_chat"
    verbose_name = "Tertulia"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, signals  # noqa: F401  (registered by being imported)

        post_migrate.connect(signals.enrol_users, sender=self)
