"""Asking again who may still be here, after something about access has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Close, ProtocolError
from tertulia.protocol.events import RoomLeft

from .models import Membership, Room
from .validity import ended_tokens, invalid_session

if TYPE_CHECKING:
    from .runtime import Runtime

# Seconds after a sign-out at which sockets that were opened meanwhile are asked: the session
# ends a moment after the sign-out is told.
AFTER = (0.3, 1.2)
# Seconds between two tries while the database is away.
RETRY = 1.0


async def recheck_person(runtime: Runtime, person_id: str) -> None:
    """End sockets of a person whose session or token no longer holds."""
    for seconds in AFTER:
        await asyncio.sleep(seconds)
        for connection in runtime.hub.people.get(person_id, ()):
            if connection.session_key is not None:
                ended = await asked(runtime, invalid_session, connection.session_key)
            elif connection.token_digest is not None:
                ended = bool(await asked(runtime, ended_tokens, [connection.token_digest]))
            else:
                continue
            if ended:
                connection.close(Close.UNAUTHENTICATED)


async def asked(runtime: Runtime, question: Callable[..., Any], *args: Any) -> Any:
    """The answer, however long the database is away: what was taken back must not stay."""
    while True:
        try:
            return await runtime.readers.run(question, *args)
        except ProtocolError:
            await asyncio.sleep(RETRY)


def _members_if_closed(room_id: int) -> set[str] | None:
    """The members' public ids where only they may read."""
    room = Room.objects.filter(pk=room_id).first()
    if room is None:
        return set()
    if room.kind == Room.Kind.PUBLIC:
        return None
    members = Membership.objects.filter(room=room, left_seq__isnull=True)
    return set(members.values_list("participant__public_id", flat=True))


async def recheck_room(runtime: Runtime, room_id: int, revoked: str | None) -> None:
    """End the subscriptions of those who may read the room no longer, and of `revoked`."""
    _end_subscriptions(runtime, room_id, lambda person_id: person_id == revoked)
    members: set[str] | None = await asked(runtime, _members_if_closed, room_id)
    if members is not None:
        _end_subscriptions(runtime, room_id, lambda person_id: person_id not in members)


def _end_subscriptions(runtime: Runtime, room_id: int, ends: Callable[[str | None], bool]) -> None:
    live = runtime.hub.rooms.get(room_id)
    if live is None:
        return
    subscribers = [*live.live, *(subscription.connection for subscription in live.joining)]
    for connection in subscribers:
        if ends(connection.person.id if connection.person else None):
            runtime.hub.unsubscribe(connection, room_id)
            if connection.classic:
                connection.close(Close.NO_SUCH_ROOM)
            else:
                connection.send(encode(RoomLeft(live.slug)))
