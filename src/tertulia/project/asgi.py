"""The ASGI application, the same under uvicorn and daphne."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")

from tertulia.project import datafolder, environment

# Under a server of one's own nothing else has made the secret key, and every process
# must have the same one.
datafolder.prepare(environment.read())

from django.core.asgi import get_asgi_application

# Loads the apps; only then may anything be imported that has models.
_django = get_asgi_application()

from channels.routing import ProtocolTypeRouter

from tertulia.chat.routing import tertulia_websocket_application
from tertulia.project.body import with_capped_body
from tertulia.project.health import with_health
from tertulia.project.lifespan import lifespan
from tertulia.project.static import with_static

application = ProtocolTypeRouter(
    {
        "lifespan": lifespan,
        "http": with_health(with_static(with_capped_body(_django))),
        "websocket": tertulia_websocket_application(),
    }
)
