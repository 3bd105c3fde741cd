"""The mail server: reached, and signed in to. Nothing is sent."""

from __future__ import annotations

import os
import smtplib
from pathlib import Path
from urllib.parse import urlsplit

from tertulia.project.environment import Environment, without_password

from .check_site import is_local
from .report import Report


def mail(env: Environment, report: Report) -> None:
    """By the address in TERTULIA_EMAIL_URL."""
    url = env.email_url or "console:"
    scheme = urlsplit(url).scheme
    if scheme == "console":
        report.warn(
            "mails, and the links for new passwords in them, are printed by the server",
            "set TERTULIA_EMAIL_URL, like smtp://user:password@host:587",
        )
    elif scheme == "file":
        _folder(Path(urlsplit(url).path), report)
    else:
        _server(url, report)


def _folder(path: Path, report: Report) -> None:
    there = next(each for each in (path, *path.parents) if each.exists())
    if os.access(there, os.W_OK | os.X_OK):
        report.ok(f"mails are written into {path}")
    else:
        report.warn(f"mails cannot be written into {path}", "make it the server's")


def _server(url: str, report: Report) -> None:
    from django.core.mail import get_connection

    shown = without_password(url)
    connection = get_connection()
    try:
        # STARTTLS and AUTH where they are set; a greeting in any case.
        connection.open()
        connection.connection.ehlo_or_helo_if_needed()  # type: ignore[attr-defined]
    except (OSError, smtplib.SMTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        report.warn(
            f"the mail server at {shown} does not take us: {reason}",
            "mend TERTULIA_EMAIL_URL; until then nobody can replace a forgotten password",
        )
        return
    finally:
        connection.close()
    report.ok(f"the mail server at {shown} answers" + _signed_in(url))
    parts = urlsplit(url)
    if parts.password and "tls=off" in parts.query and not is_local(parts.hostname or ""):
        report.warn(
            "the password for the mail server crosses the network in the open", "leave tls=off out"
        )


def _signed_in(url: str) -> str:
    return " and lets us sign in" if urlsplit(url).username else ""
