"""Django's settings, the public address, and what is open to whom."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from tertulia.project.environment import Environment, Network
from tertulia.project.safety import refusals

from .report import Report

# Names that no public server has.
LOCAL = (".local", ".localhost", ".lan", ".internal", ".home.arpa", ".test", ".home", ".intranet")

# Addresses that no stranger on the internet has. `is_private` will not do: what it takes for
# private differs between releases of Python, and 100.64.0.0/10 is neither for it.
INSIDE_4 = (
    *(IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")),
    *(IPv4Network("100.64.0.0/10"), IPv4Network("127.0.0.0/8"), IPv4Network("169.254.0.0/16")),
)
INSIDE_6 = (IPv6Network("fc00::/7"), IPv6Network("fe80::/10"))
# Public networks with fewer bits than this are no one's proxies alone.
NARROW = {4: 16, 6: 32}


def settings(env: Environment, report: Report) -> None:
    """Neither DEBUG nor any host."""
    faults = list(refusals.settings_faults(env))
    for fault in faults:
        what, _, mend = fault.rpartition(": ")
        report.fault(what or fault, mend if what else "use the site's own settings")
    if not faults:
        report.ok("DEBUG is off, and the site answers under its own names only")


def address(env: Environment, report: Report) -> None:
    """TLS where strangers are on the way, and the proxy that ends it named."""
    if env.url is None:
        report.warn(
            "TERTULIA_URL is not set: links in mails and the allowed names are those of the"
            " address that is listened on",
            "set it as soon as the site has an address of its own",
        )
        return
    if env.url.startswith("https:"):
        _secure(env, report)
    elif is_local(urlsplit(env.url).hostname or ""):
        report.warn(
            f"TERTULIA_URL is {env.url}: who sits on this network can read passwords",
            "put a reverse proxy with TLS before it, and set TERTULIA_URL to https://…",
        )
    else:
        report.fault(
            f"TERTULIA_URL is {env.url}: passwords and sessions cross the internet in the open",
            "put a reverse proxy with TLS before it, and set TERTULIA_URL to https://…",
        )


def _secure(env: Environment, report: Report) -> None:
    from django.conf import settings

    if settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE:
        report.ok(f"the site is at {env.url}, and its cookies go by TLS only")
    else:
        report.fault(
            f"the site is at {env.url}, and its cookies go without TLS too",
            "set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE to True",
        )
    if not env.proxies:
        report.warn(
            "TERTULIA_PROXIES names no reverse proxy, and something before the server must do"
            " TLS: all who come through it count as one address",
            "set TERTULIA_PROXIES to the proxy's address, such as 127.0.0.1",
        )


def proxies(env: Environment, report: Report) -> None:
    """Nobody is believed who may be a stranger."""
    wide = [each for each in env.proxies if not isinstance(each, str) and _is_wide(each)]
    narrow = [each for each in env.proxies if each not in wide]
    if wide:
        report.warn(
            f"TERTULIA_PROXIES holds {', '.join(map(str, wide))}: whoever comes from there can"
            " say that he is at any address",
            "name the reverse proxies alone, such as 127.0.0.1",
        )
    if narrow:
        report.ok(f"clients are told by {', '.join(map(str, narrow))}")


def _is_wide(network: Network) -> bool:
    if isinstance(network, IPv4Network):
        inside = any(network.subnet_of(each) for each in INSIDE_4)
    else:
        inside = any(network.subnet_of(each) for each in INSIDE_6)
    return not inside and network.prefixlen < NARROW[network.version]


def is_local(host: str) -> bool:
    """Whether the name or address is of this machine or a private network."""
    try:
        ip = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(LOCAL)
    return ip.is_private


def openness(env: Environment, report: Report) -> None:
    """Guests, sign-up, rates, other sites."""
    if env.open:
        report.warn(
            "--open: guests may talk and make rooms without an account",
            "serve without --open if this is no playground",
        )
    if not env.limits:
        report.warn(
            "TERTULIA_LIMITS=off: one person can send as much as the machine can bear",
            "leave it out, but for benchmarks and trusted networks",
        )
    else:
        report.ok("rates and caps are on")
    if env.signup == "open":
        report.warn(
            "TERTULIA_SIGNUP=open: whoever finds the site can make an account",
            "set it to invite, unless that is what you want",
        )
    for origin in env.cors_origins:
        _origin(origin, report)


def _origin(origin: str, report: Report) -> None:
    host = urlsplit(origin).hostname or ""
    if origin == "*":
        report.warn(
            "TERTULIA_CORS_ORIGINS=*: the pages of any site may call this one",
            "name the sites that should",
        )
    elif origin.startswith("http:") and host not in ("localhost", "127.0.0.1", "::1"):
        report.warn(
            f"TERTULIA_CORS_ORIGINS admits {origin}, whose pages anybody on the way can change",
            f"serve that site by TLS and write https://{host}",
        )
    else:
        report.ok(f"pages of {origin} may call this site")
