"""Who a request comes from, where a reverse proxy stands in front.

`X-Forwarded-For` and `X-Forwarded-Proto` count only when the peer is one of TERTULIA_PROXIES:
anybody can send them. `X-Forwarded-Host` never counts: the public address is TERTULIA_URL.
This stands around the whole application, so that pages and sockets, and all that counts by
address, see the same client under every ASGI server.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from .environment import UNIX_SOCKET, Network

logger = logging.getLogger("tertulia.project")

Address = IPv4Address | IPv6Address

# What a proxy may say of the connection to it, and how ASGI calls it on a page and on a socket.
_SCHEMES = {
    "http": ("http", "ws"),
    "https": ("https", "wss"),
    "ws": ("http", "ws"),
    "wss": ("https", "wss"),
}


def with_proxies(application: Any, proxies: tuple[Network | str, ...]) -> Any:
    """The ASGI application; scopes that come through a named proxy name the client behind it."""
    return _Proxies(application, proxies)


class _Proxies:
    def __init__(self, application: Any, proxies: tuple[Network | str, ...]) -> None:
        self._application = application
        self._networks = [each for each in proxies if not isinstance(each, str)]
        self._unix = UNIX_SOCKET in proxies
        self._warned = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in ("http", "websocket"):
            scope = self._seen_through(scope)
        await self._application(scope, receive, send)

    def _seen_through(self, scope: dict[str, Any]) -> dict[str, Any]:
        peer = _host(scope)
        if not self._is_proxy(peer):
            self._warn_of(peer, scope)
            return scope
        told: dict[str, Any] = {}
        client = self._client(_values(scope, b"x-forwarded-for"))
        if client is not None:
            told["client"] = client
        # Of several, the last: the one that the peer itself has added.
        *_, proto = ["", *_values(scope, b"x-forwarded-proto")]
        if proto.lower() in _SCHEMES:
            told["scheme"] = _SCHEMES[proto.lower()][scope["type"] == "websocket"]
        return {**scope, **told}

    def _is_proxy(self, host: str) -> bool:
        if not host:
            return self._unix
        # Most have none, and to take an address apart is dear.
        return bool(self._networks) and self._names(_address(host))

    def _names(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)

    def _client(self, forwarded: list[str]) -> tuple[str, int] | None:
        """The nearest address that is no proxy's: whoever stands before it may write anything."""
        client = None
        for text in reversed(forwarded):
            host, port = _split(text)
            address = _address(host)
            if address is None:
                # "unknown" and the like, in place of an address that is not told.
                break
            client = (str(address), port)
            if not self._names(address):
                break
        return client

    def _warn_of(self, host: str, scope: dict[str, Any]) -> None:
        """Once: a proxy that has not been named. A stranger's header is not worth a line."""
        if self._warned or not _values(scope, b"x-forwarded-for"):
            return
        address = _address(host)
        if host and not (address and address.is_private):
            return
        self._warned = True
        logger.warning(
            "%s sends X-Forwarded-For and is not in TERTULIA_PROXIES: if it is your proxy, name"
            " it there, since all who come through it count as one address",
            host or "a Unix socket",
        )


def _host(scope: dict[str, Any]) -> str:
    """The peer's; empty on a Unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    """What all headers of this name list, in their order."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]
    return [part for part in (each.strip() for each in ",".join(lines).split(",")) if part]


def _split(text: str) -> tuple[str, int]:
    """Host and port of `192.0.2.1:80`, `[2001:db8::1]:80` or a bare address (port 0)."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
        host, port = text, ""
    return host, int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0


def _address(text: str) -> Address | None:
    """None for what is no address. An IPv4 address in an IPv6 one's clothes is itself."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id:
            address = IPv6Address(int(address))
        return address.ipv4_mapped or address
    return address
