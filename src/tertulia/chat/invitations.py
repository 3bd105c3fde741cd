"""Links into rooms: their tokens, the mails that bring them, and what is told of them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Literal

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.urls import reverse
from msgspec import Struct

from .access import MODERATORS, check_member, check_see, find_room, role_at
from .actions.invitations import (
    Addressee,
    MailInvitations,
    MakeInvitation,
    NotAdmitted,
    Why,
)
from .encode import now, timestamp
from .mailing.asked import Checked
from .mailing.dispatch import Dispatch
from .mailing.faults import Fault
from .mailing.letter import Invitation, site_of
from .mailing.newcomers import newcomers
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


# A link that is mailed, or made without a choice.
WEEK = timedelta(days=7)


def mail(request: HttpRequest, person: Participant, slug: str, asked: Checked) -> Dispatch:
    """A link of its own to each address, in the language that is active."""
    tokens = {address: secrets.token_urlsafe(32) for address in asked.addresses}
    addressees = [Addressee(address, digest_of(token)) for address, token in tokens.items()]
    rows = []
    if addressees:
        rows = perform(MailInvitations(speaker_of(person), slug, addressees, WEEK))
    kept = {row.address for row in rows}
    often = [(address, Fault.OFTEN) for address in asked.addresses if address not in kept]
    dispatch = Dispatch([*asked.failed, *often])
    if not rows:
        return dispatch
    site, coming = site_of(request), newcomers(request)
    room = find_room(slug)
    assert room is not None
    words = Invitation(
        site, person.name, room.name, rows[0].expires_at, asked.note, coming.admitted
    )
    mails = []
    for row in rows:
        path = reverse("tertulia:invitation", args=[tokens[row.address]])
        mails.append(words.to(row.address, f"{site}{coming.lead(row, path)}"))
    dispatch.begin(rows, mails)
    return dispatch


def listed(person: Participant, slug: str) -> list[dict[str, Any]]:
    """The links into a room that are good and that `person` may take back, the newest first."""
    room = find_room(slug)
    role = role_at(room, person.pk)
    check_see(room, role)
    assert room is not None
    check_member(room, role, "see its invitations")
    # Nobody comes in by the link of somebody who is out.
    there = Membership.objects.filter(
        room=room, participant_id=OuterRef("created_by_id"), left_seq__isnull=True
    )
    rows = RoomInvitation.objects.filter(
        Exists(there), room=room, revoked_at=None, expires_at__gt=now()
    )
    if role not in MODERATORS:
        rows = rows.filter(created_by=person)
    rows = rows.select_related("created_by__user").order_by("-pk")
    return [_told(row, person) for row in rows if has_account(row.created_by)]


def _told(row: RoomInvitation, person: Participant) -> dict[str, Any]:
    """`mail`: null for a link to be passed on; `to` is for who sent it alone."""
    delivered = row.delivered
    to = row.address if row.created_by_id == person.pk else None
    return {
        "id": row.pk,
        "by": person_of(row.created_by),
        "created_at": timestamp(row.created_at),
        "expires_at": timestamp(row.expires_at),
        "uses": row.uses,
        "mail": None if delivered is None else {"to": to, "state": delivered.value},
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
