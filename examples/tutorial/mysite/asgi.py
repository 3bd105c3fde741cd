"""What an ASGI server runs: pages to Django, sockets to the consumers."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

from django.core.asgi import get_asgi_application

# Before the routing is imported: it loads the apps, and the consumers import models.
pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator, OriginValidator
from chat.routing import websocket_urlpatterns
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler

sockets = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))

if settings.CORS_ALLOWED_ORIGINS:
    origins = [*settings.ALLOWED_HOSTS, *settings.CORS_ALLOWED_ORIGINS]
    sockets = OriginValidator(sockets, origins)
else:
    sockets = AllowedHostsOriginValidator(sockets)

application = ProtocolTypeRouter(
    {
        # So that the administration has its style under every server.
        "http": ASGIStaticFilesHandler(pages),
        "websocket": sockets,
    }
)
