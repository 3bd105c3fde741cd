"""Whether visitors can be mailed here: what the widget may promise."""

from __future__ import annotations

from tertulia.chat.conf import conf
from tertulia.chat.mailing.newcomers import can_mail


def can_mail_visitors() -> bool:
    """As for invitations; and the site has a public address, to which a mail's links lead: nobody
    asks for a page when an answer is sent, so there is no request that would name one."""
    return bool(conf.site_origin) and can_mail()
