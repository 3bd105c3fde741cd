"""Which pages may open a socket. Channels' own validator ignores scheme and port."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from .conf import conf

_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int]


def parse_origin(text: str) -> Origin | None:
    """(scheme, host, port) of an origin; None for `null` and everything malformed."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _PORTS or not host or text != f"{parts.scheme}://{parts.netloc}":
        return None
    if parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, _one_loopback(host), port or _PORTS[parts.scheme]


def _one_loopback(host: str) -> str:
    host = f"[{host}]" if ":" in host else host
    return "localhost" if host in _LOOPBACK else host


def header(scope: dict[str, Any], name: bytes) -> str | None:
    """One header of the handshake; two of them are as bad as a wrong one."""
    values = [value for key, value in scope["headers"] if key.lower() == name]
    if not values:
        return None
    return values[0].decode("latin-1") if len(values) == 1 else ""


def own_origin(scope: dict[str, Any]) -> Origin | None:
    """The site's own origin: the public address, or the one that the request names."""
    if conf.site_origin:
        return parse_origin(conf.site_origin)
    host = header(scope, b"host") or ""
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return None
    scheme = "https" if scope.get("scheme") in ("wss", "https") else "http"
    return parse_origin(f"{scheme}://{host.lower()}")


def allowed(scope: dict[str, Any], origin: str) -> bool:
    """Whether a page of this origin may open a socket with the visitor's cookies."""
    if "*" in conf.allowed_origins:
        return True
    parsed = parse_origin(origin.lower())
    if parsed is None:
        return False
    if parsed == own_origin(scope):
        return True
    return any(parsed == parse_origin(other.lower()) for other in conf.allowed_origins)


class OriginGate:
    """Refuses a foreign origin with 403 before the upgrade; without one, cookies do not count."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        origin = header(scope, b"origin")
        if origin is None:
            headers = [pair for pair in scope["headers"] if pair[0].lower() != b"cookie"]
            scope = {**scope, "headers": headers}
        elif not allowed(scope, origin):
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        await self.application(scope, receive, send)
