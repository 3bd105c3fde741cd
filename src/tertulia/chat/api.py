"""What a host project calls: `from tertulia.chat import post, open_room, revoke`."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, transaction

from tertulia.protocol.errors import not_found

from .access import find_room
from .actions.messages import SendMessage
from .actions.rooms import visit
from .log import AccessNews, LogTransaction, News
from .models import AccessChange, Participant, Room
from .people import participant_of, speaker_of
from .publish import publish, publish_on_commit


def _participant(who: Any) -> Participant:
    return who if isinstance(who, Participant) else participant_of(who)


def _room(room: Room | str) -> Room:
    if isinstance(room, Room):
        return room
    found = find_room(room)
    if found is None:
        raise not_found()
    return found


def post(
    room: Room | str,
    author: Any,
    text: str,
    *,
    key: uuid.UUID | None = None,
    reply_to: int | None = None,
) -> int:
    """Append a message on the caller's own connection, in the caller's transaction.

    Returns its seq. It is told to everybody when that transaction commits, and never if it
    does not. `author` is a user or a `Participant`, and must be a member of the room. The
    same `key` gives the first seq again. Raises `ProtocolError`.
    """
    action = SendMessage(
        speaker_of(_participant(author)),
        _room(room).slug,
        text,
        key or uuid.uuid4(),
        reply_to=reply_to,
    )
    with transaction.atomic():
        log = LogTransaction(connection)
        result = action.run(log)
        publish_on_commit(log)
    seq: int = result["seq"]
    return seq


def open_room(slug: str) -> Room:
    """The room at this address; with `--open` it comes into being when it is first visited.

    Raises `ProtocolError`: `not_found`, or `invalid` for what cannot be an address.
    """
    return visit(slug)


def revoke(room: Room | str, user: Any) -> None:
    """The host's policy has changed: subscribers of the room are checked again."""
    participant = _participant(user)
    change = AccessChange.objects.create(
        kind=AccessChange.Kind.ROOM, participant=participant, room=_room(room)
    )
    told = News(
        access=[
            AccessNews(
                id=change.pk,
                kind=AccessChange.Kind.ROOM.value,
                person_id=participant.public_id,
                participant_id=participant.pk,
                room_id=change.room_id,
            )
        ]
    )
    transaction.on_commit(lambda: publish(told))


__all__ = ["open_room", "post", "revoke"]
