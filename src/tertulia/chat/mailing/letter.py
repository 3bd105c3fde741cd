"""A mail as it goes out: whole headers, no line that a person could have slipped in."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from email.utils import make_msgid
from urllib.parse import urlsplit

from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from .. import shown
from ..conf import conf
from .addresses import on_the_wire

# Code points of a name, and of the line that somebody adds.
NAME = 80
NOTE = 300


def site_of(request: HttpRequest) -> str:
    """The origin of links in mails."""
    origin: str = conf.site_origin or f"{request.scheme}://{request.get_host()}"
    return origin


def letter(
    site: str, to: str, subject: str, text: str, html: str | None = None
) -> EmailMultiAlternatives:
    """A mail by the project's own sender. `site` is the origin that its links lead to."""
    headers = {
        # Django would take the machine's own name, which is nobody's business.
        "Message-ID": make_msgid(domain=_domain(site)),
        # No holiday notice answers it.
        "Auto-Submitted": "auto-generated",
    }
    mail = EmailMultiAlternatives(
        " ".join(subject.split()), text, to=[on_the_wire(to)], headers=headers
    )
    if html is not None:
        mail.attach_alternative(html, "text/html")
    return mail


def _domain(site: str) -> str:
    host = urlsplit(site).hostname or "localhost"
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{ip}]" if ip.version == 4 else f"[IPv6:{ip}]"


def plain(text: str, longest: int = NAME) -> str:
    """One line of what people wrote: nothing in it turns, hides, breaks or becomes a link."""
    line = shown.plain(" ".join(text.split())).replace("://", ": //")
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def has_link(text: str) -> bool:
    """Whether mail programs would make a link of something in it."""
    folded = text.casefold()
    return "://" in folded or "www." in folded


@dataclass(frozen=True)
class Invitation:
    """What an invitation by mail says. Names and the note are as people wrote them."""

    site: str
    by: str
    room: str
    """The room's name; blank: to the site."""
    until: datetime
    note: str
    newcomers: bool | None
    """Whether the link leads to an account; None: that is not known here."""

    def to(self, address: str, link: str) -> EmailMultiAlternatives:
        """In the language and time zone that are active: those of who invites."""
        values = {
            "by": plain(self.by),
            "room": plain(self.room),
            "site": urlsplit(self.site).netloc,
        }
        if self.room:
            subject = _("%(by)s invites you to “%(room)s”") % values
            lead = _("%(by)s invites you to the room “%(room)s” on %(site)s.") % values
        else:
            subject = _("%(by)s invites you to %(site)s") % values
            lead = _("%(by)s invites you to the chat on %(site)s.") % values
        context = {
            **values,
            "subject": subject,
            "lead": lead,
            "link": link,
            "note": plain(self.note, NOTE),
            "until": _moment(self.until),
            "newcomers": self.newcomers,
            "language": translation.get_language() or "en",
            "direction": "rtl" if translation.get_language_bidi() else "ltr",
        }
        text = render_to_string("tertulia/mail/invitation.txt", context)
        html = render_to_string("tertulia/mail/invitation.html", context)
        return letter(self.site, address, subject, text.strip() + "\n", html)


def _moment(moment: datetime) -> str:
    """With its time zone, for the reader's clock may be another."""
    here = timezone.localtime(moment)
    zone = timezone.get_current_timezone_name()
    # Translators: how a moment is written, in the letters of Django's date filter.
    return f"{date_format(here, pgettext('moment', 'j F Y, H:i'))} ({zone})"
