"""The opening handshake (RFC 6455, 4.2): from a request to an ASGI scope, and the answers."""

from __future__ import annotations

import binascii
import email.utils
from base64 import b64decode
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote

from websockets.utils import accept_key

Headers = list[tuple[bytes, bytes]]


class Request(NamedTuple):
    """What a client asked for; `headers` with lower-case names."""

    method: bytes
    target: bytes
    headers: Headers

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header, in their order."""
        return [value for key, value in self.headers if key == name]

    def tokens(self, name: bytes) -> list[str]:
        """The values of a header that is a list."""
        joined = b",".join(self.values(name)).decode("latin-1")
        return [token for part in joined.split(",") if (token := part.strip())]


class Refusal(Exception):
    """This is no handshake; answered with `status`."""

    def __init__(self, status: int, reason: str, headers: Headers | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers or []


def parse(data: bytes) -> Request:
    """A request as uvicorn's HTTP classes hand it on: parsed once and written out again."""
    head, *lines = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    method, target, _ = head.split(b" ")
    parted = (line.partition(b": ") for line in lines)
    headers = [(name.lower(), value) for name, _, value in parted]
    return Request(method, target, headers)


def written(request: Request) -> bytes:
    """The request as one piece, for `parse`: as it is kept in the least memory."""
    lines = [request.method + b" " + request.target + b" HTTP/1.1\r\n"]
    _write(lines, request.headers)
    return b"".join(lines)


def check(request: Request) -> str:
    """The value of `Sec-WebSocket-Accept`; raises `Refusal`."""
    if request.method != b"GET":
        raise Refusal(405, "A WebSocket is opened by GET.", [(b"allow", b"GET")])
    if request.values(b"sec-websocket-version") != [b"13"]:
        version = [(b"sec-websocket-version", b"13")]
        raise Refusal(426, "This server speaks version 13 of the WebSocket protocol.", version)
    keys = request.values(b"sec-websocket-key")
    try:
        (key,) = keys
        if len(b64decode(key, validate=True)) != 16:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Refusal(400, "Sec-WebSocket-Key must be 16 bytes in base64, once.") from None
    return accept_key(key.decode("ascii"))


def scope_of(request: Request, known: dict[str, Any]) -> dict[str, Any]:
    """The ASGI scope of a handshake. `known`: what the connection and the server say."""
    raw_path, _, query = request.target.partition(b"?")
    root: str = known["root_path"]
    return {
        "type": "websocket",
        "http_version": "1.1",
        "path": root + unquote(raw_path.decode("ascii")),
        "raw_path": root.encode("ascii") + raw_path,
        "query_string": query,
        "headers": request.headers,
        "subprotocols": request.tokens(b"sec-websocket-protocol"),
        "extensions": {"websocket.http.response": {}},
        **known,
    }


def accepted(accept: str, headers: Headers, subprotocol: str | None) -> bytes:
    """101. Raises ValueError for a header that would be two."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-accept: ",
        accept.encode("ascii"),
        b"\r\n",
    ]
    if subprotocol is not None:
        headers = [*headers, (b"sec-websocket-protocol", subprotocol.encode("latin-1"))]
    _write(lines, headers)
    return b"".join(lines)


def response(status: int, headers: Headers, body: bytes) -> bytes:
    """Any other answer; the connection ends with it."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")]
    given = {name.lower() for name, _ in headers}
    defaults: Headers = [
        (b"date", email.utils.formatdate(usegmt=True).encode("ascii")),
        (b"connection", b"close"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"content-type", b"text/plain; charset=utf-8"),
    ]
    _write(lines, [*headers, *(pair for pair in defaults if pair[0] not in given)])
    lines.append(body)
    return b"".join(lines)


def _write(lines: list[bytes], headers: Headers) -> None:
    for name, value in headers:
        if b"\r" in name + value or b"\n" in name + value:
            raise ValueError("A header may not have a line break in it.")
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
