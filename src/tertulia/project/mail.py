"""TERTULIA_EMAIL_URL → Django's settings for sending mail.

    smtp://user:password@host:587      STARTTLS; ?tls=off for a relay on a trusted network
    smtps://user:password@host:465     TLS from the first byte
                                       ?ca=/etc/ssl/ours.pem trusts this authority as well
    file:///var/mail/tertulia          a file a mail in this folder
    console:                           printed by the server; also where nothing is set

`?from=chat@example.org` says from whom the mails come. What is not plain in the user's name or
password is written as in every address: `%40` for an @.
"""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import django

from .environment import Environment, SettingsError, split_url, without_password

NAME = "TERTULIA_EMAIL_URL"
BACKEND = "django.core.mail.backends.{}.EmailBackend"
SMTP = "tertulia.project.smtp.EmailBackend"
BEFORE_6_1 = {
    "file_path": "EMAIL_FILE_PATH",
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_ssl": "EMAIL_USE_SSL",
    "use_tls": "EMAIL_USE_TLS",
    "timeout": "EMAIL_TIMEOUT",
}
SECONDS = 10  # for a mail server that does not answer
_ADDRESS = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")


def mail(env: Environment) -> dict[str, Any]:
    """Django's settings by name. Raises SettingsError for an address that is none."""
    url = env.email_url or "console:"
    parts = split_url(url, NAME)
    options = _options(parts)
    sender = options.pop("from", None) or _sender(env, parts)
    if not _ADDRESS.fullmatch(sender):
        raise SettingsError(f"{NAME} has a sender that is no mail address: from={sender!r}")
    settings = {
        "DEFAULT_FROM_EMAIL": f"Tertulia <{sender}>",
        "TERTULIA_SMTP": _smtp_more(env, sender, parts, options),
        **_backend(parts, options),
    }
    if options:
        raise SettingsError(f"{NAME} has an unknown option: {next(iter(options))}")
    return settings


def reaches_people(env: Environment) -> bool:
    """Whether mails are sent, and not only printed."""
    return bool(env.email_url) and urlsplit(env.email_url or "").scheme != "console"


def _options(parts: SplitResult) -> dict[str, str]:
    try:
        return dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise SettingsError(f"{NAME} has options that are not like ?from=a@b&tls=off") from error


def _backend(parts: SplitResult, options: dict[str, str]) -> dict[str, Any]:
    """The settings of the backend; takes the options that it knows out of `options`."""
    match parts.scheme:
        case "console" if not parts.netloc and not parts.path:
            return _settings("console", {})
        case "file" if parts.path.strip("/") and not parts.netloc:
            return _settings("filebased", {"file_path": unquote(parts.path)})
        case "smtp" | "smtps" if parts.hostname and not parts.path.strip("/"):
            return _settings("smtp", _smtp(parts, options), SMTP)
    raise SettingsError(
        f"{NAME} must be like smtp://user:password@host:587, smtps://…, file:///folder or"
        f" console:, not {without_password(parts.geturl())}"
    )


def _smtp(parts: SplitResult, options: dict[str, str]) -> dict[str, Any]:
    tls = options.pop("tls", "on") if parts.scheme == "smtp" else "off"
    if tls not in ("on", "off"):
        raise SettingsError(f"{NAME}: tls must be on or off, not {tls!r}")
    login = unquote(parts.username or ""), unquote(parts.password or "")
    if not all(part.isascii() for part in login):
        # Python's smtplib can send no others.
        raise SettingsError(f"{NAME}: name and password must be of ASCII characters")
    usual = 465 if parts.scheme == "smtps" else (587 if tls == "on" else 25)
    return {
        "host": parts.hostname,
        "port": parts.port or usual,
        "username": login[0],
        "password": login[1],
        "use_ssl": parts.scheme == "smtps",
        "use_tls": tls == "on",
        "timeout": SECONDS,
    }


def _smtp_more(
    env: Environment, sender: str, parts: SplitResult, options: dict[str, str]
) -> dict[str, str]:
    """What `smtp.py` knows beyond Django's backend: how to greet, and whom to trust."""
    host = urlsplit(env.url).hostname if env.url else None
    more = {"hello": host or sender.rpartition("@")[2]}
    if parts.scheme not in ("smtp", "smtps") or "ca" not in options:
        return more
    more["ca"] = options.pop("ca")
    try:
        ssl.create_default_context(cafile=more["ca"])
    except (OSError, ValueError) as error:
        reason = f"{NAME}: ca={more['ca']} holds no certificates that can be read"
        raise SettingsError(reason) from error
    return more


def _settings(backend: str, options: dict[str, Any], path: str = BACKEND) -> dict[str, Any]:
    """One dictionary since Django 6.1, which warns of the settings before."""
    path = path.format(backend)
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": path, "OPTIONS": options}}}
    named = {BEFORE_6_1[name]: value for name, value in options.items()}
    return {"EMAIL_BACKEND": path, **named}


def _sender(env: Environment, parts: SplitResult) -> str:
    """Who signs in at the mail server, if that is an address; else `tertulia@` the site."""
    user = unquote(parts.username or "")
    if _ADDRESS.fullmatch(user):
        return user
    host = urlsplit(env.url).hostname if env.url else None
    return f"tertulia@{host or 'localhost'}"
