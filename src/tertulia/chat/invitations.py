"""Links into rooms: their tokens, and what is told of them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct

from .access import MODERATORS, check_member, check_see, find_room, role_in
from .actions.invitations import MakeInvitation, NotAdmitted, Why
from .encode import now, timestamp
from .models import Membership, Participant, RoomInvitation
from .people import digest_of, has_account, person_of, speaker_of
from .perform import perform


class Wanted(Struct):
    """The body of a request for a link: for an hour, a day, 7 or 30 days, in seconds."""

    expires_in: Literal[3_600, 86_400, 604_800, 2_592_000] = 604_800


def make(person: Participant, slug: str, wanted: Wanted) -> tuple[RoomInvitation, str]:
    """A new link and its token of 256 random bits, which is not kept and cannot be shown again."""
    token = secrets.token_urlsafe(32)
    life = timedelta(seconds=wanted.expires_in)
    action = MakeInvitation(speaker_of(person), slug, digest_of(token), life)
    return perform(action), token


def listed(person: Participant, slug: str) -> list[dict[str, Any]]:
    """The links into a room that are good and that `person` may take back, the newest first."""
    room = find_room(slug)
    role = role_in(room.pk, person.pk) if room is not None else None
    check_see(room, role)
    assert room is not None
    check_member(room, role, "see its invitations")
    rows = RoomInvitation.objects.filter(
        room=room,
        revoked_at=None,
        expires_at__gt=now(),
        # Nobody comes in by the link of somebody who is out.
        created_by__in=Membership.objects.filter(room=room, left_seq__isnull=True).values(
            "participant_id"
        ),
    )
    if role not in MODERATORS:
        rows = rows.filter(created_by=person)
    rows = rows.select_related("created_by__user").order_by("-pk")
    return [_told(row) for row in rows if has_account(row.created_by)]


def _told(row: RoomInvitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "by": person_of(row.created_by),
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        "uses": row.uses,
    }


def find(token: str) -> RoomInvitation:
    """The invitation of a link. Raises `NotAdmitted` where there is none."""
    found = (
        RoomInvitation.objects.select_related("room", "created_by__user")
        .filter(digest=digest_of(token))
        .first()
    )
    if found is None:
        raise NotAdmitted(Why.UNKNOWN)
    return found
