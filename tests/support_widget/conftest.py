"""An inbox of the shared server, for one site."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from tertulia.testing.server import Server
from tests.support.browser import Answer, Browser
from tests.support.desk import Inbox

SITE = "https://shop.example"
OTHER = "https://shop.example.evil.example"


class Asking:
    """A page of some site, which asks about an inbox."""

    def __init__(self, inbox: Inbox, url: str | None = None, **how: Any) -> None:
        self.inbox = inbox
        self.browser = Browser(url or inbox.server.url, **how)

    def get(self, path: str = "", origin: str | None = SITE, **headers: str) -> Answer:
        sent = {**({"Origin": origin} if origin else {}), **headers}
        return self.browser.get(self.inbox.path + path, headers=sent)

    def post(self, path: str, body: Any, origin: str = SITE) -> Answer:
        json_body = body if not isinstance(body, str) else None
        if json_body is not None:
            return self.browser.request(
                "POST", self.inbox.path + path, json=json_body, headers={"Origin": origin}
            )
        connection = self.browser.connection()
        try:
            connection.request("POST", self.inbox.path + path, body, {"Origin": origin})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read(), path)
        finally:
            connection.close()

    def introduced(self, **fields: Any) -> dict[str, Any]:
        answer = self.post("visitor/", fields)
        assert answer.status == 200, answer.text
        told: dict[str, Any] = json.loads(answer.body)
        return told


def identity(secret: str, expires: float | None = None, **claims: Any) -> str:
    """As a site signs it."""
    whole = {"expires": int(expires or time.time() + 3600), **claims}
    body = base64.urlsafe_b64encode(json.dumps(whole).encode()).decode().rstrip("=")
    return f"{body}.{hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()}"


@pytest.fixture(scope="session")
def inbox(embedded: Server) -> Inbox:
    return Inbox(embedded, "A shop's", sites=[SITE, "http://shop.example:81"], colour="#f2c230")


@pytest.fixture
def shop(inbox: Inbox) -> Asking:
    return Asking(inbox)
