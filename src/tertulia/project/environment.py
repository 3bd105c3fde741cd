"""The environment, read once and checked: what the operator asked for.

Knows no Django, so that a wrong value is told before anything is loaded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

# Names that reach this machine only; health checks and proxies use them.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MAX_WORKERS = 256
# In TERTULIA_PROXIES: whoever connects by a Unix socket, where there are no addresses.
UNIX_SOCKET = "unix"

Network = IPv4Network | IPv6Network


class SettingsError(Exception):
    """A wrong setting; the text is one line for the operator and holds no secret."""


@dataclass(frozen=True)
class Environment:
    """Everything that the operator can set.

    Beyond the documented variables there are internal ones, by which `tertulia serve` tells
    its workers what its options were: TERTULIA_OPEN, TERTULIA_HOST and TERTULIA_RUNSERVER.
    """

    data: Path
    """Absolute path of the data folder; it need not exist yet."""
    database_url: str | None
    redis_urls: tuple[str, ...]
    """The Redis servers of the channel layer; several share the groups between them."""
    layer: str
    """`pubsub` or `core`: which layer of channels-redis REDIS_URL means (TERTULIA_LAYER)."""
    url: str | None
    """Origin of the public address, `https://chat.example.org`, or None: the address served."""
    secret_key: str | None
    secret_key_file: Path | None
    workers: int
    log: str
    email_url: str | None
    """The mail server, as TERTULIA_EMAIL_URL has it; `mail.py` reads it."""
    limits: bool
    signup: str
    cors_origins: tuple[str, ...]
    """Origins of other sites that may call REST and open sockets; `("*",)` only with `open`."""
    proxies: tuple[Network | str, ...]
    """Reverse proxies whose `X-Forwarded-…` count: networks, and `UNIX_SOCKET`."""
    open: bool
    host: str
    """The host that is listened on, which is an allowed host name too."""
    runserver: bool


def read(environ: Mapping[str, str] | None = None) -> Environment:
    """The present environment. Raises SettingsError for the first wrong value."""
    env = os.environ if environ is None else environ
    is_open = _choice(env, "TERTULIA_OPEN", ("0", "1"), "0") == "1"
    secret_key, secret_key_file = _text(env, "TERTULIA_SECRET_KEY"), _secret_key_file(env)
    if secret_key and secret_key_file:
        raise SettingsError("set TERTULIA_SECRET_KEY or TERTULIA_SECRET_KEY_FILE, not both")
    return Environment(
        data=Path(_text(env, "TERTULIA_DATA") or "tertulia-data").absolute(),
        database_url=_text(env, "DATABASE_URL"),
        redis_urls=_redis_urls(env),
        layer=_choice(env, "TERTULIA_LAYER", ("pubsub", "core"), "pubsub"),
        url=_public_url(env),
        secret_key=secret_key,
        secret_key_file=secret_key_file,
        workers=parse_workers(_text(env, "TERTULIA_WORKERS") or "1", "TERTULIA_WORKERS"),
        log=_choice(env, "TERTULIA_LOG", ("text", "json"), "text"),
        email_url=_text(env, "TERTULIA_EMAIL_URL"),
        limits=_choice(env, "TERTULIA_LIMITS", ("on", "off"), "on") == "on",
        signup=_choice(env, "TERTULIA_SIGNUP", ("open", "invite", "closed"), "invite"),
        cors_origins=_cors_origins(env, is_open),
        proxies=_proxies(env),
        open=is_open,
        host=_text(env, "TERTULIA_HOST") or "127.0.0.1",
        runserver=_choice(env, "TERTULIA_RUNSERVER", ("0", "1"), "0") == "1",
    )


def parse_workers(text: str, name: str) -> int:
    """A number of worker processes; `name` is what the error calls it."""
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_WORKERS:
        raise SettingsError(f"{name} must be a number from 1 to {MAX_WORKERS}, not {text!r}")
    return int(text)


def need(package: str, extra: str, what: str) -> None:
    """Raises SettingsError where an optional package, which `what` needs, is not installed."""
    if find_spec(package) is None:
        raise SettingsError(f"{what} needs {package}: pip install 'tertulia[{extra}]'")


def without_password(url: str) -> str:
    """The address as it may be shown: no password, and no parameters, which can hold one."""
    scheme, mark, rest = url.rpartition("://")
    who, at, place = rest.rpartition("@")
    return f"{scheme}{mark}{who.partition(':')[0]}{at}{re.split('[?#]', place)[0]}"


def split_url(url: str, name: str) -> SplitResult:
    """The parts of a URL, its port proved to be one. `name` is what the error calls it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{name} is not an address: {without_password(url)}") from error
    return parts


def _text(env: Mapping[str, str], name: str) -> str | None:
    """A blank variable counts as unset: compose files pass unset ones on as blank."""
    return env.get(name, "").strip() or None


def _list(env: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in env.get(name, "").split(",") if part.strip()]


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = _text(env, name) or default
    if value not in choices:
        *others, last = choices
        raise SettingsError(f"{name} must be {', '.join(others)} or {last}, not {value!r}")
    return value


def _origin(text: str, name: str) -> str:
    """`scheme://host[:port]` as a browser writes an Origin: lower case, no default port."""
    parts = split_url(text, name)
    wrong = (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or parts.path not in ("", "/")
        or parts.query
        or parts.fragment
    )
    if wrong:
        shown = without_password(text)
        raise SettingsError(
            f"{name} must be like https://chat.example.org, without a path, not {shown}"
        )
    host = _ascii_host(parts.hostname or "", name)
    default_port = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _ascii_host(host: str, name: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise SettingsError(f"{name} has a host name that cannot be: {host!r}") from error
    if not re.fullmatch(r"[a-z0-9._-]+", ascii_host):
        raise SettingsError(f"{name} has a host name that cannot be: {host!r}")
    return ascii_host


def _public_url(env: Mapping[str, str]) -> str | None:
    url = _text(env, "TERTULIA_URL")
    return _origin(url, "TERTULIA_URL") if url else None


def _cors_origins(env: Mapping[str, str], is_open: bool) -> tuple[str, ...]:
    name = "TERTULIA_CORS_ORIGINS"
    origins = _list(env, name)
    if "*" in origins:
        if not is_open:
            raise SettingsError(f"{name}=* admits every site; it is only for serve --open")
        return ("*",)
    return tuple(_origin(origin, name) for origin in origins)


def _proxies(env: Mapping[str, str]) -> tuple[Network | str, ...]:
    name = "TERTULIA_PROXIES"
    return tuple(part if part == UNIX_SOCKET else _network(part, name) for part in _list(env, name))


def _network(text: str, name: str) -> Network:
    """An address or a network, as it is compared with: no IPv4 in IPv6's clothes."""
    try:
        network = ip_network(text)
        understood = not (network.version == 6 and network.network_address.ipv4_mapped)
    except ValueError:
        understood = False
    if not understood:
        raise SettingsError(
            f"{name} must hold addresses, networks like 10.0.0.0/8, or unix, not {text!r}"
        )
    if network.prefixlen == 0:
        raise SettingsError(f"{name} must not hold {text}: anybody could say who he is")
    return network


def _redis_urls(env: Mapping[str, str]) -> tuple[str, ...]:
    urls = _list(env, "REDIS_URL")
    for url in urls:
        parts = split_url(url, "REDIS_URL")
        if parts.scheme == "unix":
            right = bool(parts.path.strip("/"))
        else:
            right = parts.scheme in ("redis", "rediss") and bool(parts.hostname)
            right = right and re.fullmatch(r"(/[0-9]*)?", parts.path) is not None
        if not right:
            raise SettingsError(
                f"REDIS_URL must be like redis://host:6379/0, not {without_password(url)}"
            )
    return tuple(urls)


def _secret_key_file(env: Mapping[str, str]) -> Path | None:
    name = _text(env, "TERTULIA_SECRET_KEY_FILE")
    return Path(name) if name else None
