"""Under which names the site answers."""

from __future__ import annotations

import socket
from contextlib import suppress
from urllib.parse import urlsplit

from .environment import LOOPBACK, Environment

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104  (compared with, not bound to)
# Reserved for documentation: asking for the way there sends nothing.
ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def allowed_hosts(env: Environment) -> list[str]:
    """Django's ALLOWED_HOSTS: the public host and the loopback names.

    Without a public address, the host that is listened on; on a wildcard, this machine's
    name and the addresses by which it is reached from outside.
    """
    names = list(LOOPBACK)
    if env.url:
        names.append(bracketed(urlsplit(env.url).hostname or ""))
    elif env.host in WILDCARDS:
        names += own_names()
    else:
        names.append(bracketed(env.host).lower())
    return list(dict.fromkeys(names))


def bracketed(host: str) -> str:
    """An IPv6 address as it stands in a URL; all else as it is."""
    return f"[{host}]" if ":" in host else host


def own_names() -> list[str]:
    """This machine's name, plain and as mDNS has it, and its addresses towards outside."""
    name = socket.gethostname().lower()
    names = [name, f"{name.partition('.')[0]}.local"]
    for family, far in ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            names.append(bracketed(probe.getsockname()[0]))
    return names
