"""The ASGI application, the same under uvicorn and daphne."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")

from tertulia.project import datafolder, environment, logs
from tertulia.project.safety import refusals

with refusals.told():
    _env = environment.read()
    logs.install(_env.log)
    refusals.refuse_key(_env)
    # Under a server of one's own nothing else has made the secret key, and every process
    # must have the same one.
    datafolder.prepare(_env)

from django.core.asgi import get_asgi_application

# Loads the apps; only then may anything be imported that has models.
_django = get_asgi_application()

with refusals.told():
    refusals.refuse_all(_env)

from channels.routing import ProtocolTypeRouter

from tertulia.chat.routing import tertulia_websocket_application
from tertulia.project.body import with_capped_body
from tertulia.project.health import with_health
from tertulia.project.lifespan import lifespan
from tertulia.project.metrics import with_metrics
from tertulia.project.proxies import with_proxies
from tertulia.project.static import with_static

application = with_proxies(
    ProtocolTypeRouter(
        {
            "lifespan": lifespan,
            "http": with_metrics(with_health(with_static(with_capped_body(_django)))),
            "websocket": tertulia_websocket_application(),
        }
    ),
    _env.proxies,
)
