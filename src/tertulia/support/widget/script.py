"""`/widget.js`: the loader that a site's pages name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

_FILE = Path(__file__).parents[1] / "static" / "tertulia_support" / "loader.js"
# Where the loader takes the widget's addresses to be, as it stands in its source.
_MOUNT = '"/support/"'


def widget_script(
    prepare: Callable[[str], str] = str,
) -> Callable[[HttpRequest], HttpResponse]:
    """The view; `prepare` is given the source first, for a project that makes its scripts smaller.

    A module is only run by a page of another site if the answer says that it may be read there.
    """

    @lru_cache(1)
    def content() -> tuple[bytes, str]:
        source = _FILE.read_text("utf-8")
        assert source.count(_MOUNT) == 1
        sample = reverse("tertulia_support_widget:conversation", args=["-"])
        script = prepare(source.replace(_MOUNT, json.dumps(sample.removesuffix("-/")))).encode()
        return script, f'"{hashlib.sha256(script).hexdigest()[:32]}"'

    @require_safe
    @gzip_page
    @condition(etag_func=lambda request: content()[1])
    def view(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(content()[0], content_type="text/javascript; charset=utf-8")
        response["X-Content-Type-Options"] = "nosniff"
        response["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def for_everybody(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response["Access-Control-Allow-Origin"] = "*"
        # Asked for anew each time, and answered by 304: no page runs an older one than ours.
        response["Cache-Control"] = "no-cache"
        return response

    return for_everybody
