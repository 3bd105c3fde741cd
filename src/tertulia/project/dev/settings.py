"""The site's settings with DEBUG, for `bin/dev` and nothing else.

That shows whoever makes an error happen how the site is set up. So they are refused unless
`bin/dev` itself has set its switch, on another address than this machine's own, and where the
site has a public one.
"""

import os as _os

from tertulia.project import environment as _environment
from tertulia.project.dev import SWITCH as _SWITCH

_env = _environment.read()
if _os.environ.get(_SWITCH) != "1":
    raise _environment.SettingsError(f"{__name__} is for bin/dev only: it shows errors to anybody")
if _env.url is not None:
    raise _environment.SettingsError("TERTULIA_URL is set: this is for no public site")
if _env.host not in ("127.0.0.1", "::1", "localhost"):
    raise _environment.SettingsError(
        f"this shows errors to anybody: it listens on this machine only, not on {_env.host}"
    )

from tertulia.project.settings import *  # noqa: E402, F403
from tertulia.project.settings import INSTALLED_APPS, MIDDLEWARE  # noqa: E402

DEBUG = True
ROOT_URLCONF = "tertulia.project.dev.urls"
INSTALLED_APPS = [*INSTALLED_APPS, "django_browser_reload"]
MIDDLEWARE = [
    *MIDDLEWARE,
    "tertulia.project.dev.pages.readable_errors",
    "django_browser_reload.middleware.BrowserReloadMiddleware",
]
