"""The app's place in Django."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    """`INSTALLED_APPS += ["tertulia.chat"]`."""

    name = "tertulia.chat"
    label = "tertulia_chat"
    verbose_name = "Tertulia"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, signals  # noqa: F401  (registered by being imported)
