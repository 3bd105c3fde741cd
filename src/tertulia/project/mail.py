"""TERTULIA_EMAIL_URL → Django's settings for sending mail.

    smtp://user:password@host:587      STARTTLS; ?tls=off for a relay on a trusted network
    smtps://user:password@host:465     TLS from the first byte
    file:///var/mail/tertulia          a file a mail in this folder
    console:                           printed by the server; also where nothing is set

`?from=chat@example.org` says from whom the mails come. What is not plain in the user's name or
password is written as in every address: `%40` for an @.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import django

from .environment import Environment, SettingsError, split_url, without_password

NAME = "TERTULIA_EMAIL_URL"
BACKEND = "django.core.mail.backends.{}.EmailBackend"
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
    settings = {"DEFAULT_FROM_EMAIL": f"Tertulia <{sender}>", **_backend(parts, options)}
    if options:
        raise SettingsError(f"{NAME} has an unknown option: {next(iter(options))}")
    return settings


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
            return _settings("smtp", _smtp(parts, options))
    raise SettingsError(
        f"{NAME} must be like smtp://user:password@host:587, smtps://…, file:///folder or"
        f" console:, not {without_password(parts.geturl())}"
    )


def _smtp(parts: SplitResult, options: dict[str, str]) -> dict[str, Any]:
    tls = options.pop("tls", "on") if parts.scheme == "smtp" else "off"
    if tls not in ("on", "off"):
        raise SettingsError(f"{NAME}: tls must be on or off, not {tls!r}")
    usual = 465 if parts.scheme == "smtps" else (587 if tls == "on" else 25)
    return {
        "host": parts.hostname,
        "port": parts.port or usual,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": parts.scheme == "smtps",
        "use_tls": tls == "on",
        "timeout": SECONDS,
    }


def _settings(backend: str, options: dict[str, Any]) -> dict[str, Any]:
    """One dictionary since Django 6.1, which warns of the settings before."""
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": BACKEND.format(backend), "OPTIONS": options}}}
    named = {BEFORE_6_1[name]: value for name, value in options.items()}
    return {"EMAIL_BACKEND": BACKEND.format(backend), **named}


def _sender(env: Environment, parts: SplitResult) -> str:
    """Who signs in at the mail server, if that is an address; else `tertulia@` the site."""
    user = unquote(parts.username or "")
    if _ADDRESS.fullmatch(user):
        return user
    host = urlsplit(env.url).hostname if env.url else None
    return f"tertulia@{host or 'localhost'}"
