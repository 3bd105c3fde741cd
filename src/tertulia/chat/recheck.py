"""Asking again who may still be here, after something about access has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import connection as database

from tertulia.protocol.codec import encode
from tertulia.protocol.errors import Close, ProtocolError
from tertulia.protocol.events import RoomLeft

from . import kinds
from .access import role_of
from .models import Membership, Participant, Room
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
    present = set(members.values_list("participant__public_id", flat=True))
    rules = kinds.rules_of(room.kind)
    return present if rules is None else present | rules.readers(room_id)


async def recheck_room(runtime: Runtime, room_id: int, revoked: str | None) -> None:
    """End the subscriptions of those who may read the room no longer, and of `revoked`."""
    _end_subscriptions(runtime, room_id, lambda person_id: person_id == revoked)
    members: set[str] | None = await asked(runtime, _members_if_closed, room_id)
    if members is not None:
        _end_subscriptions(runtime, room_id, lambda person_id: person_id not in members)


def _closed_to(person_id: str, room_ids: list[int]) -> set[int]:
    """Those of these rooms that have rules, and by them and his memberships are closed to him."""
    person = Participant.objects.filter(public_id=person_id).values_list("pk", flat=True).first()
    rooms = Room.objects.filter(pk__in=room_ids).values_list("pk", "kind")
    ruled = [pk for pk, kind in rooms if kinds.rules_of(kind) is not None]
    found = kinds.standings(database, [(room_id, person or 0) for room_id in ruled])
    return set(ruled) - {one.room_id for one in found if role_of(one) is not None}


async def recheck_rules(runtime: Runtime, person_id: str) -> None:
    """Rules grant somebody something else now: end his subscriptions where it is nothing."""
    mine = runtime.hub.people.get(person_id, ())
    room_ids = {one.room.id for connection in mine for one in connection.subscriptions}
    if not room_ids:
        return
    closed: set[int] = await asked(runtime, _closed_to, person_id, list(room_ids))
    for room_id in closed:
        _end_subscriptions(runtime, room_id, lambda one: one == person_id)


def _end_subscriptions(runtime: Runtime, room_id: int, ends: Callable[[str | None], bool]) -> None:
    live = runtime.hub.rooms.get(room_id)
    if live is None:
        return
    subscribers = [*live.live, *(subscription.connection for subscription in live.joining)]
    for connection in subscribers:
        if ends(connection.person.id if connection.person else None):
            runtime.hub.cut(connection, room_id)
            if connection.classic:
                connection.close(Close.NO_SUCH_ROOM)
            else:
                connection.send(encode(RoomLeft(live.slug)))
