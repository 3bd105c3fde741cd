"""Carrying out an action for a page: in its own thread, on its own connection."""

from __future__ import annotations

import logging
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from tertulia.protocol.errors import unavailable

from .actions import Action
from .authority import Administrator
from .log import LogTransaction, room_id_of
from .publish import publish_on_commit

logger = logging.getLogger(__name__)

# Milliseconds that a page waits for a room which another transaction holds.
LOCK_MILLISECONDS = 5_000


def perform(action: Action, authority: Administrator | None = None) -> Any:
    """Check and do; it is told to everybody when the transaction commits.

    With an `authority` it is an act of the administration: the speaker need not be a member.
    Raises `ProtocolError`: `unavailable` also where the room or the database cannot be had.
    """
    action.authority = authority
    try:
        action.prepare()
        if action.slug is not None:
            room_id_of(action.slug)  # before the lock is taken, as the writer does it
        with transaction.atomic():
            log = LogTransaction(connection)
            log.find(wait=LOCK_MILLISECONDS)
            result = action.run(log)
            publish_on_commit(log)
    except (OperationalError, InterfaceError) as error:
        logger.error("A page could not write: %s", str(error).strip())
        raise unavailable("The database cannot be written at the moment.") from None
    return result
