"""Static files, served from the apps' own folders: nothing to collect.

Text goes out compressed to those who take gzip. A file is compressed when it is first asked
for and kept in memory, so that starting costs nothing; what runs has about a megabyte of it.
"""

from __future__ import annotations

import asyncio
import gzip
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.apps import apps
from django.conf import settings
from servestatic import ServeStaticASGI  # type: ignore[import-untyped]
from servestatic.responders import Response, StaticFile  # type: ignore[import-untyped]
from servestatic.utils import parse_accept_encoding  # type: ignore[import-untyped]

from .environment import read
from .lean import is_ours, without_comments

# Besides `text/…`; pictures and fonts are compressed by what they are.
_TEXT = ("application/json", "application/javascript", "image/svg+xml", "application/xml")
LEVEL = 9  # paid once a file


def with_static(application: Any) -> Any:
    """The ASGI application, with every app's `static` folder before it.

    The files are asked for anew each time and answered by 304 while they are the same, so
    that no page runs with modules from before an upgrade.
    """
    server = _Server(
        application,
        # While one develops, files change while it runs; else they are looked at once.
        autorefresh=settings.DEBUG or read().runserver,
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
    if _is_text(headers):
        headers["Vary"] = "Accept-Encoding"


def _is_text(headers: Headers) -> bool:
    kind = (headers["Content-Type"] or "").partition(";")[0]
    return kind.startswith("text/") or kind in _TEXT


class _Server(ServeStaticASGI):
    """servestatic's server, which by itself compresses nothing."""

    def get_static_file(
        self, path: str, url: str, stat_cache: dict[str, os.stat_result] | None = None
    ) -> Any:
        """The file at `path`; raises servestatic's errors where there is none."""
        plain: StaticFile = super().get_static_file(path, url, stat_cache=stat_cache)
        headers = Headers(plain.alternatives[-1][2])
        return _TextFile(plain, Path(path), headers) if _is_text(headers) else plain


class _TextFile:
    """A file of text in its two encodings, each with an ETag of its own."""

    def __init__(self, plain: StaticFile, path: Path, headers: Headers) -> None:
        self._plain = plain
        self._path = path
        self._headers = headers
        self._packed: bytes | None = None
        # A representation of other bytes needs another strong ETag (RFC 9110, 8.8.3.3).
        self._etag = f'{plain.etag[:-1]}-gzip"'

    async def aget_response(
        self, method: str, request_headers: dict[str, str], **how: bool
    ) -> Response:
        """What servestatic sends; parts of a file, which are of the plain one, it does itself."""
        taken = parse_accept_encoding(request_headers.get("HTTP_ACCEPT_ENCODING", ""))
        ranged = "HTTP_RANGE" in request_headers
        if "gzip" not in taken or ranged or method not in ("GET", "HEAD"):
            return await self._plain.aget_response(method, request_headers, **how)
        return await self._compressed(method, request_headers)

    async def _compressed(self, method: str, request_headers: dict[str, str]) -> Response:
        if self._packed is None:
            self._packed = await asyncio.to_thread(
                lambda: gzip.compress(_content(self._path), LEVEL, mtime=0)
            )
        headers = Headers(self._headers.items())
        headers["ETag"] = self._etag
        if self._is_known(request_headers):
            del headers["Content-Length"]
            return Response(HTTPStatus.NOT_MODIFIED, headers.items(), None)
        headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(self._packed))
        body = None if method == "HEAD" else _Body(self._packed)
        return Response(HTTPStatus.OK, headers.items(), body)

    def _is_known(self, request_headers: dict[str, str]) -> bool:
        """Whether the client has this encoding; its ETags, if it names any, outrank its date."""
        named = request_headers.get("HTTP_IF_NONE_MATCH")
        if named is None:
            return bool(self._plain.is_not_modified(request_headers))
        tags = [tag.strip().removeprefix("W/") for tag in named.split(",")]
        return self._etag in tags or tags == ["*"]


def _content(path: Path) -> bytes:
    """What is sent of a file: of our own modules, the program."""
    if is_ours(path):
        return without_comments(path.read_text("utf-8")).encode()
    return path.read_bytes()


class _Body:
    """Bytes in memory as the open file that servestatic reads."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    async def __aenter__(self) -> _Body:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def read(self, size: int) -> bytes:
        """The next bytes; none at the end."""
        part, self._rest = self._rest[:size], self._rest[size:]
        return part
