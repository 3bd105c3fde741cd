"""Django's settings of the ready-made site, all from the environment.

The variables are those of the reference; `environment.py` reads and checks them. Importing
this changes nothing on the disk.
"""

from tertulia.project import database as _database
from tertulia.project import environment as _environment
from tertulia.project.datafolder import secret_key as _secret_key
from tertulia.project.hosts import allowed_hosts as _allowed_hosts
from tertulia.project.layer import layer as _layer
from tertulia.project.logs import logging_config as _logging_config
from tertulia.project.mail import mail as _mail
from tertulia.project.mail import reaches_people as _reaches_people

_env = _environment.read()
_https = bool(_env.url and _env.url.startswith("https:"))

DEBUG = False
SECRET_KEY = _secret_key(_env)
ALLOWED_HOSTS = _allowed_hosts(_env)
# The site's own. Another site that may call REST still posts no forms for anybody.
CSRF_TRUSTED_ORIGINS = [_env.url] if _env.url else []

# Of the addresses that pages of other sites may call: bearer tokens, never cookies.
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_ALL_ORIGINS = "*" in _env.cors_origins
CORS_ALLOWED_ORIGINS = [origin for origin in _env.cors_origins if origin != "*"]
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ("GET", "POST", "PATCH", "DELETE")
CORS_ALLOW_HEADERS = ("authorization", "content-type")
CORS_EXPOSE_HEADERS = ("Retry-After",)
# Seconds for which a browser need not ask again: so long a site that is struck off still may.
CORS_PREFLIGHT_MAX_AGE = 600

INSTALLED_APPS = [
    # Only for `tertulia manage runserver`: it brings Twisted, which nothing else needs.
    *(["daphne"] if _env.runserver else []),
    "tertulia.project",
    "tertulia.chat",
    "tertulia.support",
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
    "django.middleware.security.SecurityMiddleware",
    "tertulia.project.csp.content_security_policy",
    # Before all that may answer by itself: its answers, too, are for the page that asked.
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tertulia.project.language.OwnLanguage",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tertulia.project.urls"
ASGI_APPLICATION = "tertulia.project.asgi.application"

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

DATABASES = {"default": _database.database(_env)}
CHANNEL_LAYERS = {"default": _layer(_env)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": name}
    for name in (
        "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "django.contrib.auth.password_validation.MinimumLengthValidator",
        "tertulia.project.safety.passwords.PasswordValidator",
        "django.contrib.auth.password_validation.NumericPasswordValidator",
    )
]
# Seconds that a link by mail is good for.
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/chat/"
LOGOUT_REDIRECT_URL = "/accounts/login/"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 24 * 60 * 60
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# The chat serves what is in there by its own views, after asking who may see it.
MEDIA_ROOT = _env.data / "uploads"
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_PERMISSIONS = 0o600

globals().update(_mail(_env))

LOGGING = _logging_config(_env.log)

TERTULIA = {
    "OPEN": _env.open,
    "LIMITS": _env.limits,
    "SITE_ORIGIN": _env.url,
    "ALLOWED_ORIGINS": list(_env.cors_origins),
    "HEARTBEAT": 25,
    "INVITE_BY_MAIL": _reaches_people(_env),
    "NEWCOMERS": "tertulia.project.accounts.mailed.newcomers",
}
TERTULIA_SIGNUP = _env.signup
