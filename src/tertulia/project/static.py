"""Static files, served from the apps' own folders: nothing to collect."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.apps import apps
from django.conf import settings
from servestatic import ServeStaticASGI  # type: ignore[import-untyped]

from .environment import read


def with_static(application: Any) -> Any:
    """The ASGI application, with every app's `static` folder before it.

    The files are asked for anew each time and answered by 304 while they are the same, so
    that no page runs with modules from before an upgrade.
    """
    server = ServeStaticASGI(
        application,
        # Under runserver files change while it runs; else they are looked at once.
        autorefresh=read().runserver,
        max_age=None,
        allow_all_origins=False,
        add_headers_function=_headers,
    )
    # Later ones win: as Django's finders have it, the first app does.
    for app in reversed(list(apps.get_app_configs())):
        folder = Path(app.path) / "static"
        if folder.is_dir():
            server.add_files(folder, settings.STATIC_URL)
    return server


def _headers(headers: Headers, path: str, url: str) -> None:
    headers["Cache-Control"] = "no-cache"
    headers["X-Content-Type-Options"] = "nosniff"
