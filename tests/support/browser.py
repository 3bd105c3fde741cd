"""A plain HTTP session: cookies, forms and CSRF over http.client, as a browser would do them."""

from __future__ import annotations

import http.client
import re
import urllib.parse
from dataclasses import dataclass
from html import unescape
from json import dumps
from typing import Any


@dataclass
class Answer:
    """One response, its body read; the names of the headers in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """Keeps cookies for one site; follows redirects within it.

    `peer` is the address that it comes from, `always` the headers of all its requests: for who
    comes through a proxy.
    """

    def __init__(
        self, url: str, *, peer: str | None = None, always: dict[str, str] | None = None
    ) -> None:
        self.base = urllib.parse.urlsplit(url)
        self.source = (peer, 0) if peer else None
        self.always = always or {}
        self.cookies: dict[str, str] = {}

    @property
    def origin(self) -> str:
        return f"{self.base.scheme}://{self.base.netloc}"

    @property
    def cookie(self) -> str:
        """The Cookie header."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def connection(self) -> http.client.HTTPConnection:
        """A new connection to the site; others may come to it by another way."""
        return http.client.HTTPConnection(self.base.netloc, timeout=20, source_address=self.source)

    def request(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        json: Any = None,
        headers: dict[str, str] | None = None,
        follow: bool = True,
    ) -> Answer:
        sent = {**self.always, **(headers or {})}
        body = None
        if json is not None:
            body = dumps(json).encode()
            sent.setdefault("Content-Type", "application/json")
        if form is not None:
            body = urllib.parse.urlencode(form).encode()
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        if self.cookies:
            sent.setdefault("Cookie", self.cookie)
        if method != "GET":
            sent.setdefault("Origin", self.origin)
            sent.setdefault("Referer", self.origin + path)
        connection = self.connection()
        try:
            connection.request(
                method, urllib.parse.quote(path, safe="/%?=&+~@:,;!$'()*"), body, sent
            )
            response = connection.getresponse()
            for name, value in response.getheaders():
                if name.lower() == "set-cookie":
                    self._keep(value)
            received = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, received, response.read(), path)
        finally:
            connection.close()
        target = received.get("location")
        if follow and answer.status in (301, 302, 303, 307) and target:
            onward = urllib.parse.urlsplit(urllib.parse.urljoin(self.origin + path, target))
            assert onward.netloc == self.base.netloc, f"redirected away, to {target}"
            onward_path = onward.path + (f"?{onward.query}" if onward.query else "")
            return self.request("GET", onward_path)
        return answer

    def _keep(self, header: str) -> None:
        pair, *attributes = header.split(";")
        name, _, value = pair.strip().partition("=")
        if any(a.strip().lower() == "max-age=0" for a in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str, **options: object) -> Answer:
        return self.request("GET", path, **options)  # type: ignore[arg-type]

    def submit(self, path: str, fields: dict[str, str], *, action: str | None = None) -> Answer:
        """Load the page at `path`, fill its form's hidden fields and `fields`, and post it."""
        page = self.get(path)
        assert page.status == 200, f"{path}: {page.status}"
        form = {**_hidden_fields(page.text), **fields}
        return self.request("POST", action or page.path, form=form)

    def sign_in(self, name: str, password: str) -> Answer:
        """The sign-in form; the caller checks `signed_in`."""
        return self.submit("/accounts/login/", {"username": name, "password": password})

    @property
    def signed_in(self) -> bool:
        return bool(self.cookies.get("sessionid"))


def _hidden_fields(html: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes.get("type") == "hidden" and "name" in attributes:
            found[attributes["name"]] = unescape(attributes.get("value", ""))
    return found
