"""The signed links in a mail: back to the conversation, and out of all further mails.

Both are kept nowhere. Each has a salt of its own, so neither is good for the other, nor for a
visitor token.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from django.core import signing
from django.utils.crypto import salted_hmac

from tertulia.chat.origin import parse_origin

from ..models import Inbox, Visitor
from ..widget.sites import sites_of
from . import times

_BACK = "tertulia.visitor.back"
_STOP = "tertulia.visitor.stop"
_ADDRESS = "tertulia.visitor.address"
# What the loader looks for behind the # of its page's address.
FRAGMENT = "tertulia"
# Code points of a link's token, and of a page's path.
LENGTH = 1_024
PATH = 500


class Back(NamedTuple):
    """Who comes by a link, and whether the address that it was mailed to is still his."""

    visitor: Visitor
    proved: bool


class Stop(NamedTuple):
    """Whom a link frees from mails: public ids, and the digest of the address."""

    visitor: str
    inbox: str
    digest: str


def digest_of(address: str) -> str:
    """What is kept of an address whose owner wants nothing: of no use without this site's key."""
    return salted_hmac(_ADDRESS, address.lower(), algorithm="sha256").hexdigest()


# Back to the conversation


def page_of(inbox: Inbox, url: str) -> str | None:
    """The page from which he wrote, if it is on one of the inbox's sites; else the first site.

    None where the inbox has no site. It is without query and fragment: whoever leaves somebody
    else's address also says on which page he is, and could have a mail of ours lead through any
    redirect of the site.
    """
    sites = sites_of(inbox)
    if not sites:
        return None
    try:
        parts = urlsplit(url)
        here = parse_origin(f"{parts.scheme}://{parts.netloc}".lower())
    except ValueError:
        here, parts = None, urlsplit("")
    site = next((each for each in sites if here is not None and parse_origin(each) == here), None)
    if site is None or len(parts.path) > PATH:
        return (site or sites[0]) + "/"
    return site + quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")


def back_link(page: str, visitor: Visitor, address: str) -> str:
    """To the page, where the widget opens; on any device it is this visitor.

    But for whom the site signs who he is: he has to sign in there, and the link says nothing.
    """
    if visitor.external_id is not None:
        return f"{page}#{FRAGMENT}"
    told = (visitor.participant.public_id, visitor.inbox.public_id, visitor.generation)
    return f"{page}#{FRAGMENT}={signing.dumps([*told, digest_of(address)[:16]], salt=_BACK)}"


def back_by(link: str, inbox: Inbox) -> Back | None:
    """Who has come; None: it is no link of this inbox's, too old, of an earlier generation, or of
    nobody whom a link makes."""
    told = _told(link, _BACK, times.LINK)
    if told is None:
        return None
    who, where, generation, digest = told
    if where != inbox.public_id:
        return None
    found = Visitor.objects.select_related("participant", "inbox").filter(
        inbox=inbox, participant__public_id=who, generation=generation, external_id__isnull=True
    )
    visitor = found.first()
    if visitor is None:
        return None
    proved = bool(visitor.email) and digest_of(visitor.email)[:16] == digest
    return Back(visitor, proved)


# No more mails


def stop_token(visitor: Visitor, address: str) -> str:
    """What the address of the page has behind it on which one wants no more mails. Without an end:
    however old a mail is, it can be answered so."""
    told = [visitor.participant.public_id, visitor.inbox.public_id, digest_of(address)]
    return signing.dumps(told, salt=_STOP)


def stop_by(token: str) -> Stop | None:
    """What such a token says; None: it is none of ours."""
    told = _told(token, _STOP, None)
    return None if told is None else Stop(*told)


def _told(signed: str, salt: str, life: timedelta | None) -> list[Any] | None:
    if len(signed) > LENGTH:
        return None
    try:
        told: list[Any] = signing.loads(signed, salt=salt, max_age=life)
    except signing.BadSignature:
        return None
    return told
