"""Who may do what: the table of the contract, in one place.

The same functions decide in the writing transaction and for pages; nothing else does.
"""

from __future__ import annotations

from typing import Protocol

from django.db import connection

from tertulia.protocol.errors import ProtocolError, forbidden, not_found

from . import kinds
from .models import Membership, Participant, Room
from .people import Speaker
from .slugs import fold_slug
from .sql import RoomRow

MODERATORS = frozenset({Membership.Role.OWNER.value, Membership.Role.MODERATOR.value})
OWNERS = frozenset({Membership.Role.OWNER.value})
# The primary key of no room.
NOWHERE = 0


class RoomLike(Protocol):
    """What the rules look at in a room."""

    kind: str
    archived: bool


def may_see(room: RoomLike, role: str | None) -> bool:
    """A public room is open to everybody who is admitted; others to their members.

    `role` is None for somebody who is not a member now.
    """
    return role is not None or room.kind == Room.Kind.PUBLIC


def check_see(room: RoomLike | None, role: str | None, speaker: Speaker | None = None) -> None:
    """Absent and hidden rooms get the same answer; to a visitor, public ones too."""
    if room is None or not may_see(room, role):
        raise not_found()
    if role is None and speaker is not None and speaker.is_visitor:
        raise not_found()


def check_member(room: RoomLike, role: str | None, what: str) -> None:
    """`what` needs membership."""
    check_see(room, role)
    if role is None:
        raise forbidden(f"Only members of the room may {what}. Join it first.")


def check_open(room: RoomLike, what: str) -> None:
    """`what` needs a room that is not archived."""
    if room.archived:
        raise forbidden(f"The room is archived: nobody can {what} in it.")


def check_moves(room: RoomRow, what: str) -> None:
    """`what` changes who is in the room, or what it is: not where others decide that."""
    rules = kinds.rules_of(room.kind)
    if rules is not None and rules.keeps_people(room.id):
        raise forbidden(f"Nobody can {what} in a conversation of the support desk.")


def check_role(room: RoomLike, role: str | None, allowed: frozenset[str], what: str) -> None:
    """`what` is for the `allowed` roles."""
    check_see(room, role)
    if role not in allowed:
        who = "owners" if allowed == OWNERS else "owners and moderators"
        raise forbidden(f"Only {who} of the room may {what}.")


def role_in(room_id: int, participant_id: int) -> str | None:
    """The role of somebody who is a member now, from the database."""
    return (
        Membership.objects.filter(
            room_id=room_id, participant_id=participant_id, left_seq__isnull=True
        )
        .values_list("role", flat=True)
        .first()
    )


def role_at(room: Room | None, participant_id: int) -> str | None:
    """The same in the room at an address. Where there is none the same is asked, so that the
    work does not tell a hidden room from an absent one."""
    if room is not None and kinds.rules_of(room.kind) is not None:
        found = kinds.standings(connection, [(room.pk, participant_id)])
        return next((role for role in map(role_of, found) if role is not None), None)
    return role_in(room.pk if room is not None else NOWHERE, participant_id)


def role_of(standing: kinds.Standing) -> str | None:
    """A membership counts before what the room grants."""
    if standing.role is not None and standing.left_seq is None:
        return standing.role
    return standing.granted


def find_room(slug: str) -> Room | None:
    """The room at an address, however it is written; whether one may see it is another matter."""
    return Room.objects.filter(slug_fold=fold_slug(slug)).first()


def visible_room(participant: Participant | None, slug: str) -> Room | None:
    """The room at this address if `participant` may see it, else None."""
    if participant is None:
        return None
    room = find_room(slug)
    role = role_at(room, participant.pk)
    return room if room is not None and may_see(room, role) else None


__all__ = ["ProtocolError", "check_member", "check_see", "may_see", "visible_room"]
