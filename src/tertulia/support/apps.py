"""The app's place in Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    """`INSTALLED_APPS += ["tertulia.chat", "tertulia.support"]`."""

    name = "tertulia.support"
    label = "tertulia_support"
    verbose_name = _("Support desk")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tertulia.chat import kinds

        from . import commands, signals  # noqa: F401  (signals: registered by being imported)
        from .live import Desk
        from .mailing.post import Post
        from .rules import ConversationRules, VisitorTokens
        from .search import signals as _following  # noqa: F401

        kinds.register("support", ConversationRules())
        kinds.bearers["visitor"] = VisitorTokens()
        kinds.parts += [Desk, Post]
        commands.register()
