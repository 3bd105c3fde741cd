"""The tutorial's settings. What `run` lets one choose comes by the environment:

TUTORIAL_DATA          folder of the database and the signing key; `data` beside manage.py
TUTORIAL_LAYER         memory (default), core or pubsub
TUTORIAL_REDIS         the Redis of core and pubsub; redis://127.0.0.1:6379
TUTORIAL_CONSUMER      sync (default) or async: which consumer stands at ws/chat/<room>/
TUTORIAL_STORE         0: messages are only delivered, not kept
TUTORIAL_CORS_ORIGINS  origins of other sites that may call and open sockets, comma-separated
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("TUTORIAL_DATA") or BASE_DIR / "data").absolute()


def choice(name: str, *choices: str) -> str:
    """One of these, from the environment; the first one where it is unset."""
    value = os.environ.get(name) or choices[0]
    if value not in choices:
        raise ImproperlyConfigured(f"{name} is one of {', '.join(choices)}, not {value!r}")
    return value


def secret_key() -> str:
    """Made at the first start and kept beside the database, for its owner's eyes only."""
    path = DATA / "secret-key"
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


SECRET_KEY = secret_key()
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "daphne",  # first, so that its runserver takes the place of Django's
    "chat",
    "channels",
    "corsheaders",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "mysite.urls"
ASGI_APPLICATION = "mysite.asgi.application"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "db.sqlite3",
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The channel layer: how consumers of the same room reach each other.
REDIS = os.environ.get("TUTORIAL_REDIS") or "redis://127.0.0.1:6379"
LAYERS = {
    # One process only; nothing else has to run.
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    # Several processes. core waits in a blocking read, which redis-py's own time limit would cut.
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS, "socket_timeout": None}]},
    },
    "pubsub": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS]},
    },
}
CHANNEL_LAYERS = {"default": LAYERS[choice("TUTORIAL_LAYER", *LAYERS)]}

CHAT_CONSUMER = choice("TUTORIAL_CONSUMER", "sync", "async")
STORE_MESSAGES = choice("TUTORIAL_STORE", "1", "0") == "1"

# django-cors-headers lets these sites read; sockets know no CORS, see asgi.py.
CORS_ALLOWED_ORIGINS = [
    origin for origin in os.environ.get("TUTORIAL_CORS_ORIGINS", "").split(",") if origin
]
CORS_ALLOW_HEADERS = ["content-type", "x-csrftoken"]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
