"""Whether mails may be sent here, and how a link leads people in who have no account yet.

The chat knows nothing of making accounts. A project that lets people do so names a function in
`TERTULIA["NEWCOMERS"]`: `function(request)` gets the inviter's request and gives None where whom
he invites needs an account already, or a function `(invitation, path) -> path` that leads through
the project's sign-up and then on to `path`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from django.conf import global_settings, settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from ..conf import conf

if TYPE_CHECKING:
    from ..models import RoomInvitation

Lead = Callable[["RoomInvitation", str], str]


class Newcomers(NamedTuple):
    """What people without an account meet behind a link."""

    lead: Lead
    admitted: bool | None
    """Whether they get one; None: the project has not said."""


def can_mail() -> bool:
    """Whether members may invite by mail."""
    if conf.invite_by_mail is not None:
        return bool(conf.invite_by_mail)
    return bool(settings.DEFAULT_FROM_EMAIL != global_settings.DEFAULT_FROM_EMAIL)


def newcomers(request: HttpRequest) -> Newcomers:
    """Those whom the asker of this request invites."""
    if conf.newcomers is None:
        return Newcomers(_straight, None)
    lead: Lead | None = import_string(conf.newcomers)(request)
    return Newcomers(lead or _straight, lead is not None)


def _straight(invitation: RoomInvitation, path: str) -> str:
    return path
