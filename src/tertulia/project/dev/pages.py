"""Pages while one develops: told of changes, and errors that can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from os import PathLike
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.autoreload import StatReloader, file_changed
from django.utils.crypto import get_random_string
from django.utils.decorators import sync_and_async_middleware
from django_browser_reload import views as browser_reload

EVENTS = "/__reload__/events/"
# Django's pages of errors have their style and their script in themselves.
_ERRORS = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'"


@sync_and_async_middleware
def readable_errors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware: a policy under which Django's pages of errors show; within the site's own."""
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponse:
            awaited: Awaitable[HttpResponse] = get_response(request)
            return _readable(await awaited)

        return markcoroutinefunction(async_middleware)
    return lambda request: _readable(get_response(request))


def _readable(response: HttpResponse) -> HttpResponse:
    if response.status_code in (404, 500):
        response.headers.setdefault("Content-Security-Policy", _ERRORS)
    return response


class Watch(StatReloader):
    """Looks once a second for what has changed among the modules, templates and static files.

    `restart` is called for Python. For all else Django forgets what it holds of the file, and
    the pages that are open reload themselves.
    """

    def __init__(self, restart: Callable[[Path], None]) -> None:
        super().__init__()
        self._restart = restart
        # It would tell one browser of the change, where two people talk in two.
        file_changed.disconnect(dispatch_uid="browser_reload")

    def notify_file_changed(self, path: str | PathLike[str]) -> None:
        """Called for each file that is newer than it was."""
        changed = Path(path)
        if changed.suffix == ".py":
            self._restart(changed)
            self.stop()
            return
        file_changed.send(sender=self, file_path=changed)
        # What a restart does, too: a page that sees another version reloads.
        browser_reload.version_id = get_random_string(32)
