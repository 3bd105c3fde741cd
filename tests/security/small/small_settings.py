"""The site's settings with limits so low that a test can reach them; loaded by a server under test.

Started with this folder on PYTHONPATH and DJANGO_SETTINGS_MODULE=small_settings.
"""

import os

from tertulia.project.settings import *  # noqa: F403
from tertulia.project.settings import INSTALLED_APPS as _APPS
from tertulia.project.settings import TERTULIA as _TERTULIA

TERTULIA = {**_TERTULIA, "MAX_SOCKETS": int(os.environ.get("SMALL_SOCKETS", "1000"))}
# What guessing costs is not the question here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [*_APPS, "small_limits.SmallLimits"]
