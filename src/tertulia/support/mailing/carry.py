"""One mail, from the agenda to the mail server and back. Runs in the process's thread for mails."""

from __future__ import annotations

import logging
from typing import NamedTuple

from django.db import DatabaseError

from tertulia.chat.mailing.faults import Fault
from tertulia.chat.mailing.sender import deliver
from tertulia.chat.models import Room

from . import counts
from .agenda import Claim, Due, claim, settle
from .letter import NoWayBack, compose

logger = logging.getLogger("tertulia.support")


class Told(NamedTuple):
    """A conversation of which its agents are to hear: its room and its inbox."""

    id: int
    slug: str
    head: int
    messages: int
    inbox: tuple[int, str]


def carry(due: Due) -> Told | None:
    """Send what is due, if it is ours to send; None where nothing was tried."""
    try:
        mine = claim(due)
    except DatabaseError as error:
        # It stands on the agenda as before.
        logger.warning("What is due by mail could not be looked at: %s", _first_line(error))
        return None
    if mine is None:
        return None
    fault = _send(mine)
    try:
        outcome = settle(mine, fault)
    except DatabaseError as error:
        logger.error("What became of a mail to a visitor could not be kept: %s", _first_line(error))
        return None
    counts.outcomes[outcome] += 1
    if outcome == "failed":
        text = "Answers to a visitor could not be mailed, and are not tried again: %s"
        logger.warning(text, fault, extra={"room": mine.conversation.room_id})
    return _news(mine)


def _send(mine: Claim) -> Fault | None:
    if not mine.address:
        return Fault.ADDRESS
    if mine.sent is None:
        return Fault.OFTEN
    try:
        mail = compose(mine)
    except ValueError:
        return Fault.ADDRESS
    except NoWayBack:
        logger.error("An inbox has no site, so its mails to visitors would have no link back")
        return Fault.SERVER
    (fault,) = deliver([mail], "an answer to a visitor")
    return fault


def _news(mine: Claim) -> Told | None:
    one = mine.conversation
    room = Room.objects.filter(pk=one.room_id).values_list("pk", "slug", "head", "messages").first()
    return None if room is None else Told(*room, (one.inbox_id, one.inbox.public_id))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
