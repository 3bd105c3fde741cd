"""What a host project calls: `from tertulia.chat import post, open_room, revoke`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from tertulia.protocol.errors import not_found

from .access import find_room
from .actions.members import enter
from .actions.messages import SendMessage
from .actions.rooms import found_room
from .log import AccessNews, LogTransaction, News
from .models import AccessChange, Membership, Participant, Room
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
    same `key` gives the first seq again. Raises `ProtocolError`, and where the database
    refuses, Django's errors, such as `OperationalError` for a room that is held too long.
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


def open_room(
    slug: str,
    *,
    name: str = "",
    kind: str = Room.Kind.PUBLIC,
    owner: Any = None,
    members: Iterable[Any] = (),
) -> Room:
    """The room at this address, made where it is missing, with these people in it.

    `owner` and `members` are users or `Participant`s; those who are members already stay as
    they are, so calling it again changes nothing. Name and kind are those of the first call.
    Runs in the caller's transaction. Raises `ProtocolError` for what cannot be an address.
    """
    people = [(_participant(owner), Membership.Role.OWNER.value)] if owner is not None else []
    people += [(_participant(member), Membership.Role.MEMBER.value) for member in members]
    with transaction.atomic():
        room = found_room(slug, name=name, kind=kind)
        log = LogTransaction(connection)
        log.lock({room.pk})
        row = log.rooms[room.pk]
        for participant, role in people:
            if log.role(row.id, participant.pk) is None:
                enter(log, row, participant, speaker_of(participant), role)
        publish_on_commit(log)
    room.head, room.messages = row.head, row.messages
    return room


def revoke(room: Room | str, user: Any) -> None:
    """The host's policy has changed: this person's subscriptions of the room end.

    His membership, if he has one, remains: to end that too, remove the member.
    """
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
