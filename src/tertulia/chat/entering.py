"""Finding the room at an address, or, with `--open`, making it when it is first visited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tertulia.protocol.errors import not_found

from .actions import VisitRoom
from .conf import conf
from .log import RoomRef, known_ref, room_ref
from .read import nothing

if TYPE_CHECKING:
    from .people import Speaker
    from .runtime import Runtime


async def find_ref(runtime: Runtime, address: str) -> RoomRef:
    """The room at an address; whether one may see it is asked elsewhere. Or `not_found`."""
    ref = known_ref(address) or await runtime.readers.run(room_ref, address)
    if ref is None:
        await runtime.readers.run(nothing)
        raise not_found()
    return ref


async def enter_room(
    runtime: Runtime, speaker: Speaker, address: str, check_rate: Callable[[str, Any], None]
) -> RoomRef:
    """The same; where rooms come into being by being visited, this is a visit, and to make one has
    the rate of `room.create`."""
    ref = known_ref(address) or await runtime.readers.run(room_ref, address)
    if ref is None and conf.open and not speaker.is_visitor:
        check_rate("create", speaker.id)
        await runtime.write(VisitRoom(speaker, address))
        ref = await runtime.readers.run(room_ref, address)
    if ref is None:
        await runtime.readers.run(nothing)
        raise not_found()
    return ref
