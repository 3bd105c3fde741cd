"""Plain HTTP as one of several people, on one connection each that is kept open."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import quote, urlencode

from django.urls import URLPattern, URLResolver, get_resolver

from tertulia.testing.server import Server
from tests.support.browser import Answer

# Seconds after which a connection is opened anew: the server closes idle ones.
KEPT = 2.0
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
# Signing in by the form costs a third of a second of hashing each time.
SESSIONS = """
import json
from importlib import import_module
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest
Store = import_module(settings.SESSION_ENGINE).SessionStore
made = {{}}
for name, count in {wanted!r}.items():
    user = get_user_model().objects.get(username=name)
    made[name] = []
    for _ in range(count):
        request = HttpRequest()
        request.session = Store()
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        request.session.save()
        made[name].append(request.session.session_key)
print(json.dumps(made))
"""


def sessions(server: Server, wanted: dict[str, int], before: str = "") -> dict[str, list[str]]:
    """So many new sessions of each of these accounts; `before`: code that runs first."""
    printed = server.shell(f"{before}\n{SESSIONS.format(wanted=wanted)}")
    made: dict[str, list[str]] = json.loads(printed.strip().splitlines()[-1])
    return made


class Visitor:
    """Somebody with a session, or nobody; the CSRF cookie is his own. `source`: his address."""

    def __init__(
        self, server: Server, session: str | None = None, source: str = "", **headers: str
    ) -> None:
        self.server = server
        self.csrf = secrets.token_hex(16)
        self.session = session
        self.headers = headers
        self._connection = http.client.HTTPConnection(
            server.host, timeout=20, source_address=(source, 0) if source else None
        )
        self._last = time.monotonic()

    @property
    def cookie(self) -> str:
        held = f"csrftoken={self.csrf}"
        return held if self.session is None else f"{held}; sessionid={self.session}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        csrf: bool = True,
        **headers: str,
    ) -> Answer:
        """One request; redirects are not followed. Unsafe ones come from the site's own page."""
        sent = {"Cookie": self.cookie, **self.headers}
        if method in UNSAFE:
            sent |= {"Origin": self.server.url}
            sent |= {"X-CSRFToken": self.csrf} if csrf else {}
            body = urlencode(form or {}).encode() if body is None else body
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if time.monotonic() - self._last > KEPT:
            self._connection.close()
        self._connection.request(method, quote(path, safe="/%?=&+~@:"), body, sent)
        response = self._connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, received, response.read(), path)
        self._last = time.monotonic()
        return answer

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def send_picture(visitor: Visitor, content: bytes) -> Answer:
    """The settings page's form, with a file in it."""
    mark = secrets.token_hex(8)
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="picture"; filename="p.png"\r\n'
        "Content-Type: image/png\r\n\r\n"
    ).encode()
    body += content + f"\r\n--{mark}--\r\n".encode()
    headers: dict[str, Any] = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    return visitor.ask("POST", "/chat/-/settings/picture/", body=body, **headers)


def routes() -> list[str]:
    """Every route of the URLconf, as it is written there; named groups of patterns by name."""
    return [_plain(route) for route in _walk(get_resolver(), "")]


def _walk(resolver: Any, prefix: str) -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += _walk(entry, route)
        else:
            assert isinstance(entry, URLPattern)
            found.append(route)
    return found


def _plain(route: str) -> str:
    """A regular expression of the administration, told like a path."""
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).replace("^", "").rstrip("$")
