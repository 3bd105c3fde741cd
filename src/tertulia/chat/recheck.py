"""Asking again who may still be here, after something about access has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Close
from tertulia.protocol.events import RoomLeft

from .models import Membership, Room
from .validity import ended_tokens, invalid_session

if TYPE_CHECKING:
    from .runtime import Runtime

# Seconds after a sign-out at which sockets that were opened meanwhile are asked: the session
# ends a moment after the sign-out is told.
AFTER = (0.3, 1.2)


async def recheck_person(runtime: Runtime, person_id: str) -> None:
    """End sockets of a person whose session or token no longer holds."""
    for seconds in AFTER:
        await asyncio.sleep(seconds)
        for connection in list(runtime.hub.people.get(person_id, ())):
            if connection.session_key is not None:
                ended = await runtime.readers.run(invalid_session, connection.session_key)
            elif connection.token_digest is not None:
                ended = bool(await runtime.readers.run(ended_tokens, [connection.token_digest]))
            else:
                continue
            if ended:
                connection.close(Close.UNAUTHENTICATED)


def _members_if_closed(room_id: int) -> tuple[str | None, set[str] | None]:
    """The slug, and the members' public ids where only they may read."""
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        return None, set()
    if room.kind == Room.Kind.PUBLIC:
        return room.slug, None
    members = Membership.objects.filter(room=room, left_seq__isnull=True)
    return room.slug, set(members.values_list("participant__public_id", flat=True))


async def recheck_room(runtime: Runtime, room_id: int, revoked: str | None) -> None:
    """End the subscriptions of those who may read the room no longer, and of `revoked`."""
    slug, members = await runtime.readers.run(_members_if_closed, room_id)
    live = runtime.hub.rooms.get(room_id)
    if live is None:
        return
    subscribers = [*live.live, *(subscription.connection for subscription in live.joining)]
    for connection in subscribers:
        person_id = connection.person.id if connection.person else None
        if person_id == revoked or (members is not None and person_id not in members):
            runtime.hub.unsubscribe(connection, room_id)
            if connection.classic:
                connection.close(Close.NO_SUCH_ROOM)
            else:
                connection.send(encode(RoomLeft(slug or live.slug)))
