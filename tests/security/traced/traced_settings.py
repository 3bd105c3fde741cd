"""The site's settings, with every SQL statement written to a file; loaded by a server under test.

Started with this folder on PYTHONPATH, DJANGO_SETTINGS_MODULE=traced_settings and TRACE=file.
"""

from tertulia.project.settings import *  # noqa: F403
from tertulia.project.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "sql_trace.SqlTrace"]
