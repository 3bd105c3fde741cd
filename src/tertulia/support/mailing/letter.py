"""The mail itself: what agents have said, the way back, and the way out of it.

Nothing of it was written by the visitor, since anybody can leave somebody else's address.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tertulia.chat.conf import conf
from tertulia.chat.mailing.letter import letter, plain
from tertulia.chat.models import Message
from tertulia.chat.profile.spoken import WRITTEN_IN
from tertulia.chat.shown import is_unseen
from tertulia.chat.text import render

from ..models import Visitor
from ..widget.look import ink_on
from .agenda import Claim
from .links import back_link, page_of, stop_token

# Code points of one answer, and of all of them.
ONE = 2_000
ALL = 6_000


class NoWayBack(Exception):
    """The inbox has no site to which a link could lead."""


def compose(mine: Claim) -> EmailMultiAlternatives:
    """In the visitor's language and time zone. Raises ValueError for an address that cannot be
    written to, and `NoWayBack`."""
    client = mine.conversation.client
    page = page_of(client.inbox, mine.conversation.url)
    if page is None:
        raise NoWayBack
    with _speaking_to(client) as language:
        told = _told(mine, page, language)
        text = render_to_string("tertulia_support/mail/answer.txt", told)
        html = render_to_string("tertulia_support/mail/answer.html", told)
        site: str = conf.site_origin
        mail = letter(site, mine.address, told["subject"], text.strip() + "\n", html)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    if sender:
        mail.from_email = formataddr((told["title"], sender))
    # RFC 2369 and RFC 8058: one press in the mail program, and no page to be looked for.
    mail.extra_headers["List-Unsubscribe"] = f"<{told['stop']}>"
    mail.extra_headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail


@contextmanager
def _speaking_to(client: Visitor) -> Iterator[str]:
    language = language_of(client)
    with translation.override(language), timezone.override(_zone(client)):
        yield language


def language_of(client: Visitor) -> str:
    """The one of ours that he speaks, as far as it is known."""
    spoken = client.language.partition("-")[0].lower()
    return spoken if spoken in WRITTEN_IN else WRITTEN_IN[0]


def _zone(client: Visitor) -> Any:
    for name in (client.time_zone, client.inbox.hours.get("time_zone", "")):
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return timezone.get_default_timezone()


def _told(mine: Claim, page: str, language: str) -> dict[str, Any]:
    client = mine.conversation.client
    inbox = client.inbox
    title = plain(inbox.name) or urlsplit(page).netloc
    answers = _answers(mine.answers)
    names = list(dict.fromkeys(answer["by"] for answer in answers))
    values = {"title": title, "by": names[0]}
    subject = _("%(by)s has answered you · %(title)s")
    if len(names) > 1:
        subject = _("You have answers · %(title)s")
    token = stop_token(client, client.email)
    stop = reverse("tertulia_support_widget:no_mail", args=[token])
    return {
        "subject": plain(subject % values, 200),
        "title": title,
        "answers": answers,
        "more": mine.further > 0 or len(answers) < len(mine.answers),
        "link": back_link(page, client, client.email),
        "known": client.external_id is not None,
        "site": urlsplit(page).netloc,
        "stop": f"{conf.site_origin}{stop}",
        "colour": inbox.colour,
        "ink": ink_on(inbox.colour),
        "language": language,
    }


def _answers(messages: list[Message]) -> list[dict[str, Any]]:
    """Who, when and what; the first at any rate, the others as far as there is room."""
    found: list[dict[str, Any]] = []
    room = ALL
    for message in messages:
        text = _shown(message.text)
        if found and len(text) > room:
            break
        room -= len(text)
        found.append(
            {
                "by": plain(message.author_name),
                "at": _moment(message.sent_at),
                "text": text[:ONE].rstrip(),
                # Sanitised there.
                "html": mark_safe(render(text[:ONE]).html),  # noqa: S308
                "cut": len(text) > ONE,
            }
        )
    return found


def _shown(text: str) -> str:
    """As it was written, without what cannot be seen; longer than `ONE` by one where it is cut."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return "".join(char for char in lines if char in "\n\t" or not is_unseen(char))[: ONE + 1]


def _moment(moment: datetime) -> str:
    """With its time zone, since the reader's clock may be another."""
    zone = timezone.get_current_timezone_name()
    # Translators: how a moment is written, in the letters of Django's date filter.
    shown = date_format(timezone.localtime(moment), pgettext("moment", "j F Y, H:i"))
    return f"{shown} ({zone})"
