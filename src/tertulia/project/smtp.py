"""Django's SMTP backend, which tells the mail server the site's name, not the machine's.

Certificates are checked, as Django does, against the system's authorities, and against one's own
where TERTULIA_EMAIL_URL names a file (`?ca=`).
"""

from __future__ import annotations

import smtplib
import ssl
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.functional import cached_property


class EmailBackend(smtp.EmailBackend):
    """`settings.TERTULIA_SMTP`: `hello`, a host name, and `ca`, a file."""

    @property
    def connection_class(self) -> Any:
        """Makes the connection; what Django says of the machine is replaced."""
        kind: Any = smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP
        hello = _more()["hello"]

        def connect(host: str, port: int, **how: Any) -> Any:
            return kind(host, port, **{**how, "local_hostname": hello})

        return connect

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """With the site's own authority besides, where there is one."""
        context = ssl.create_default_context()
        if ca := _more().get("ca"):
            context.load_verify_locations(cafile=ca)
        return context


def _more() -> dict[str, str]:
    more: dict[str, str] = getattr(settings, "TERTULIA_SMTP", {})
    return more
